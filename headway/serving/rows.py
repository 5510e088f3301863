"""What a client sends, as columns that a model reads."""

from __future__ import annotations

import binascii
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headway.runtime import Model
from headway.runtime.feeds.cells import shown
from headway.runtime.feeds.lacking import nearest_names
from headway.serving.batching import Columns
from headway.serving.limits import Limits
from headway.serving.refusals import FieldProblem, too_large, wrong_input

# What a prediction request may say; anything else is probably a typing error and is told.
FIELDS = ("rows", "model", "user", "partial", "timeout")
_LONGEST_USER = 200


@dataclass(frozen=True)
class Reader:
    """What is needed to read rows for one model: the columns it reads, and which of them hold texts and pictures."""

    columns: tuple[str, ...]
    texts: tuple[str, ...]
    images: tuple[str, ...]

    @classmethod
    def of(cls, model: Model) -> Reader:
        """Return the reader of `model`."""
        feeds = model.predictor.feeds
        texts = tuple(dict.fromkeys(feed.columns[0] for feed in feeds if feed.kind in {"characters", "tokens"}))
        images = tuple(dict.fromkeys(feed.columns[0] for feed in feeds if feed.kind == "image"))
        return cls(model.columns, texts, images)


@dataclass(frozen=True, slots=True)
class Asked:
    """One prediction request, read: its rows as sent and the wishes beside them."""

    rows: list[dict[str, Any]]
    model: str | None = None
    user: str | None = None
    partial: bool = False
    timeout: float | None = None


def read_request(document: object, limits: Limits) -> Asked:
    """Return the request that a JSON document holds; raises `RefusalError` (422, or 413 for too many rows)."""
    if not isinstance(document, dict):
        raise wrong_input([FieldProblem(None, "body", 'an object such as {"rows": [{...}]}', shown(document))])
    rows = document.get("rows")
    if not isinstance(rows, list) or not rows:
        got = shown(rows) if "rows" in document else "the fields " + (", ".join(map(repr, list(document)[:9])) or "{}")
        raise wrong_input([FieldProblem(None, "rows", "a list of one object or more: column -> cell", got[:200])])
    if len(rows) > limits.rows:
        raise too_large("the list of rows", most=limits.rows, got=len(rows))
    wrong = [FieldProblem(i, "", "an object: column -> cell", shown(row)) for i, row in enumerate(rows)
             if not isinstance(row, dict)]  # fmt: skip
    if wrong:
        raise wrong_input(wrong)
    if len(document) == 1:
        return Asked(rows)
    return Asked(rows, **_wishes(document, limits))


def _wishes(document: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """Return the fields beside the rows, checked."""
    wrong = []
    for name in document:
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, n=1)
            fix = f"did you mean {near[0]!r}?" if near else ""
            wrong.append(
                FieldProblem(None, name[:60], f"one of the fields {', '.join(FIELDS)}", "an unknown field", fix)
            )
    model, user = document.get("model"), document.get("user")
    partial, timeout = document.get("partial", False), document.get("timeout")
    if not isinstance(model, str | None):
        wrong.append(FieldProblem(None, "model", "the name of a model", shown(model)))
    if not isinstance(user, str | None) or len(user or "") > _LONGEST_USER:
        wrong.append(FieldProblem(None, "user", f"text of at most {_LONGEST_USER} characters", shown(user)))
    if not isinstance(partial, bool):
        wrong.append(FieldProblem(None, "partial", "true or false", shown(partial)))
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0):
        wrong.append(FieldProblem(None, "timeout", "seconds above 0", shown(timeout)))
    if wrong:
        raise wrong_input(wrong)
    allowed = None if timeout is None else min(float(timeout), limits.timeout)
    return {"model": model, "user": user, "partial": partial, "timeout": allowed}


def to_columns(rows: Sequence[Mapping[str, Any]], reader: Reader) -> tuple[Columns, int]:
    """Return the cells by column, and the items of the longest row (see `Pace`).

    Raises `RefusalError` (422) for a column that a row lacks, naming the nearest that is there, and for pictures that
    are not base64. Each row is judged by itself: an empty cell is null, a column left out is a mistake. Cells of other
    kinds are judged by the feeds, when they are encoded.
    """
    try:
        columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in reader.columns}
    except KeyError:
        raise wrong_input(_missing(rows, reader)) from None
    for name in reader.images:
        columns[name] = _pictures(columns[name], name)
    return columns, _longest(columns, reader.texts, len(rows))


def _longest(columns: Columns, texts: Sequence[str], rows: int) -> int:
    if len(texts) == 1:
        return 1 + max(len(cell) if isinstance(cell, str) else 0 for cell in columns[texts[0]])
    lengths = [sum(len(columns[name][row]) for name in texts if isinstance(columns[name][row], str))
               for row in range(rows)]  # fmt: skip
    return 1 + max(lengths, default=0)


def _missing(rows: Sequence[Mapping[str, Any]], reader: Reader) -> list[FieldProblem]:
    """Return the columns that rows lack."""
    problems: list[FieldProblem] = []
    for number, row in enumerate(rows):
        for name in reader.columns:
            if name not in row:
                near = nearest_names([name], [key for key in row if key not in reader.columns])
                fix = "add the column; where nothing is known its cell is null"
                if near:
                    fix = f"did you mean {name!r} where you wrote {near[name]!r}?"
                got = "the columns " + ", ".join(repr(key[:60]) for key in list(row)[:20]) if row else "an empty object"
                problems.append(FieldProblem(number, name, "a cell of this column", got, fix))
    return problems


def _pictures(cells: Sequence[Any], name: str) -> list[bytes | None]:
    """Return the bytes of pictures; a text is base64, never a path of this machine."""
    pictures: list[bytes | None] = []
    wrong = []
    for row, cell in enumerate(cells):
        if cell is None or isinstance(cell, bytes):
            pictures.append(cell)
            continue
        try:
            pictures.append(_decode(cell))
        except (ValueError, TypeError) as error:
            expected = "a picture as base64 text or as a file of a form"
            wrong.append(FieldProblem(row, name, expected, f"{shown(cell)} ({str(error)[:60]})"))
    if wrong:
        raise wrong_input(wrong)
    return pictures


def _decode(cell: Any) -> bytes:
    """Return the bytes that base64 text spells, also as a data URL; raises ValueError or TypeError."""
    if not isinstance(cell, str):
        raise TypeError(f"it is {type(cell).__name__}")
    text = cell.partition(",")[2] if cell.startswith("data:") else cell
    return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
