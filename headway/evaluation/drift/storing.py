"""The reference as a file of the package: JSON, read strictly."""

from __future__ import annotations

import base64
import json
from typing import Any, cast, get_args

import numpy as np

from headway.errors import PackageError
from headway.evaluation.drift.reference import Aspect, Codebook, Kind, Reference, View
from headway.runtime.archive import REFERENCE

FORMAT_VERSION = 1
_MOST_BYTES, _MOST_CELLS, _MOST_SIZE = 20_000_000, 10_000, 4096


def reference_to_json(reference: Reference) -> bytes:
    """Return the reference as JSON; vectors as bytes in base64, a 127th of the largest as the unit."""
    document = {
        "format_version": FORMAT_VERSION,
        "task": reference.task,
        "kinds": reference.kinds,
        "views": [
            {
                "column": view.column,
                "aspect": view.aspect,
                "counts": view.counts,
                "edges": view.edges,
                "names": view.names,
                "target": view.target,
            }
            for view in reference.views
        ],
        "codebooks": [
            {
                "column": book.column,
                "kind": book.kind,
                "shape": book.centres.shape,
                "scale": _scale(book.centres),
                "centres": _pack(np.round(book.centres / _scale(book.centres)).astype(np.int8)),
                "weights": _pack(book.weights.astype("<f2")),
            }
            for book in reference.codebooks
        ],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def reference_from_json(content: bytes) -> Reference:
    """Return what `reference_to_json` wrote; raises `PackageError` for anything else."""
    if len(content) > _MOST_BYTES:
        raise _refuse("it is too large")
    try:
        document = json.loads(content)
        if document["format_version"] != FORMAT_VERSION:
            raise _refuse(f"format_version {document['format_version']!r}")
        kinds = {_text(name): cast("Kind", _one_of(kind, get_args(Kind))) for name, kind in document["kinds"].items()}
        return Reference(
            _one_of(document["task"], ("classify", "regress", "several")),  # type: ignore[arg-type]
            kinds,
            tuple(_view(each) for each in document["views"]),
            tuple(_codebook(each) for each in document["codebooks"]),
        )
    except PackageError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _refuse(f"{type(error).__name__}: {error}"[:200]) from error


def _view(plain: dict[str, Any]) -> View:
    counts = tuple(int(count) for count in plain["counts"])
    edges = tuple(float(edge) for edge in plain["edges"])
    names = tuple(_text(name) for name in plain["names"])
    cells = len(names) if names else len(edges) + 2
    whole = len(counts) == cells <= _MOST_CELLS and min(counts) >= 0 and list(edges) == sorted(edges)
    if not whole or max(counts) > 2**53 or not np.isfinite(edges).all():
        raise _refuse(f"a view of {plain['column']!r} contradicts itself")
    aspect = cast("Aspect", _one_of(plain["aspect"], get_args(Aspect)))
    return View(_text(plain["column"]), aspect, counts, edges, names, _text(plain.get("target", "")))


def _codebook(plain: dict[str, Any]) -> Codebook:
    groups, size = (int(each) for each in plain["shape"])
    if not (1 <= groups <= _MOST_CELLS and 1 <= size <= _MOST_SIZE):
        raise _refuse("a codebook has an impossible size")
    centres = np.frombuffer(base64.b64decode(plain["centres"]), dtype=np.int8).reshape(groups, size)
    weights = np.frombuffer(base64.b64decode(plain["weights"]), dtype="<f2").reshape(size).astype(np.float32)
    scaled = centres.astype(np.float32) * float(plain["scale"])
    if not np.isfinite(weights).all() or not np.isfinite(scaled).all():
        raise _refuse("a codebook holds no numbers")
    return Codebook(_text(plain["column"]), cast("Kind", _one_of(plain["kind"], get_args(Kind))), scaled, weights)


def _scale(table: np.ndarray) -> float:
    return float(np.abs(table).max()) / 127 or 1.0


def _pack(table: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(table).tobytes()).decode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(f"{value!r} is no text"[:80])
    return value


def _one_of(value: Any, words: tuple[str, ...]) -> str:
    if value not in words:
        raise _refuse(f"{value!r} is none of {', '.join(words)}"[:200])
    return str(value)


def _refuse(got: str) -> PackageError:
    return PackageError("the package's training reference cannot be understood", where=REFERENCE, got=got)
