"""An event as rows of the store: personal data masked, pictures as their fingerprint."""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from headway.privacy.masking import mask, mask_row
from headway.serving.learning import Noted
from headway.serving.observing import Failed, Feedback, Served
from headway.serving.store.opening import hash_subject

LONGEST_CELL = 10_000
Record = dict[str, Any]


def prediction_records(noted: Noted, *, pepper: str, masked: bool = True, share: float = 1.0) -> Iterator[Record]:
    """Yield the rows of `headway_predictions`: one for each row that was answered, or one for a request that failed.

    `share` of the requests are kept.
    """
    event = noted.event
    if isinstance(event, Served):
        places = event.places or range(len(event.rows))
        for number, cells, answer in zip(places, event.rows, event.answers, strict=False):
            yield {
                **_request(event, noted.at, pepper),
                "row": number,
                "shadow": event.shadow,
                "inputs": to_json(_inputs(cells, masked=masked)),
                "error": _error(answer),
                "share": share,
                **_answer(answer),
            }
    elif isinstance(event, Failed):
        yield {
            **_request(event, noted.at, pepper),
            "row": 0,
            "shadow": event.shadow,
            "inputs": None,
            "error": _text(f"{event.status} {event.kind}", 200),
            "share": share,
            **_answer({}),
        }


def feedback_record(noted: Noted, event: Feedback, *, pepper: str, masked: bool = True) -> Record:
    """Return the row of `headway_feedback`.

    A truth is not masked: the service takes none that the model could not have answered, so it is a label, not a text
    of the client's, and a masked label would never equal the answer.
    """
    note = event.note if event.note is None or not masked else mask(event.note).text
    return {
        "id": uuid.uuid4().hex,
        "request_id": _text(event.request_id, 200),
        "row": event.row,
        "at": noted.at,
        "truth": to_json(_plain_answer(event.truth)),
        "note": None if note is None else _text(note, LONGEST_CELL),
        "value": None if event.value is None else _plain(float(event.value)),
        "subject": None if event.user is None else hash_subject(pepper, event.user),
    }


def to_json(value: Any) -> str:
    """Return plain data as JSON that every database takes: no lone surrogates, no NUL."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    return text.encode("utf-8", "replace").decode()


def _request(event: Served | Failed, at: float, pepper: str) -> Record:
    """Return the columns that all rows of a request share."""
    experiment, _, arm = (event.arm or "").rpartition("/")
    return {
        "request_id": _text(event.request_id, 200),
        "at": at,
        "model": _text(event.name or "", 200),
        "version": _text(event.version or "", 200),
        "subject": None if event.user is None else hash_subject(pepper, event.user),
        "experiment": _text(experiment, 200),
        "arm": _text(arm, 200),
        "latency_ms": event.seconds * 1000,
    }


def _answer(answer: Mapping[str, Any]) -> Record:
    """Return the columns of an answer; all empty where there is none."""
    confidence, shares = answer.get("confidence"), answer.get("probabilities")
    return {
        "prediction": to_json(_plain_answer(answer["prediction"])) if "prediction" in answer else None,
        "confidence": None if confidence is None else _plain(float(confidence)),
        "probabilities": None
        if shares is None
        else to_json({str(key): round(float(p), 6) for key, p in shares.items()}),
    }


def _error(answer: Mapping[str, Any]) -> str:
    """Return the kind of a row's error, never its words: they quote the cell."""
    if "prediction" in answer:
        return ""
    error = answer.get("error")
    return _text(str(error.get("type", "error")) if isinstance(error, Mapping) else "unanswered", 200)


def _inputs(cells: Mapping[str, Any], *, masked: bool) -> Record:
    plain = {str(name)[:200]: _plain(cell) for name, cell in cells.items()}
    return mask_row(plain) if masked else plain


def _plain_answer(answer: Any) -> Any:
    """Return an answer, or the answers for several targets, as JSON can hold them."""
    if isinstance(answer, Mapping):
        return {str(name)[:200]: _plain(each) for name, each in answer.items()}
    return _plain(answer)


def _plain(cell: Any) -> Any:
    """Return a cell as JSON can hold it: pictures and sounds by their fingerprint, long texts cut."""
    if hasattr(cell, "item") and not hasattr(cell, "__len__"):
        cell = cell.item()
    if cell is None or isinstance(cell, bool | int):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, str):
        # A picture in base64 is one long word; a text is not.
        if cell.startswith("data:") or (len(cell) > LONGEST_CELL and " " not in cell[:200] and cell[:200].isascii()):
            return _fingerprint(cell.encode("utf-8", "replace"))
        return cell[:LONGEST_CELL]
    if isinstance(cell, bytes | bytearray | memoryview):
        return _fingerprint(bytes(cell))
    return str(cell)[:LONGEST_CELL]


def _fingerprint(content: bytes) -> Record:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _text(text: str, most: int) -> str:
    """Return an id or a name as a column can hold it."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:most]
