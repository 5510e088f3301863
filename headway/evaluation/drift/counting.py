"""Sort rows into the cells of a reference's views and count them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from headway.evaluation.drift.reference import Codebook, Reference, View
from headway.evaluation.drift.vectors import picture_vectors, read_pixels, text_vectors, unit
from headway.runtime.feeds import categories, dates, numbers
from headway.runtime.feeds.cells import is_missing
from headway.runtime.manifest import CategoryFeed, DateFeed, NumberFeed

Counts = dict[tuple[str, str], np.ndarray]
_LANGUAGE_CHARACTERS = 200
_HAN, _LATIN, _LETTERS = (re.compile(each) for each in (r"[\u4e00-\u9fff]+", r"[A-Za-z\u00c0-\u024f]+", r"[^\W\d_]+"))
LANGUAGES = ("Chinese", "Latin letters", "other")


def count_inputs(reference: Reference, columns: Mapping[str, Sequence[Any]]) -> Counts:
    """Return how many rows fall into each cell of each view of the inputs, by its key; int64 `[cells]`.

    A column that is not there counts as missing in all rows; what cannot be read counts as missing.
    """
    rows = max((len(cells) for cells in columns.values()), default=0)
    counts: Counts = {}
    for column, kind in reference.kinds.items():
        values = measure(kind, columns.get(column, [None] * rows), _codebook(reference, column))
        for view in reference.inputs:
            if view.column == column and view.aspect in values:
                counts[view.key] = _count(view, values[view.aspect])
    return counts


def count_answers(
    reference: Reference, predictions: Sequence[Any], confidence: Sequence[float] | None, *, target: str = ""
) -> Counts:
    """Return how many answers for a target fall into each cell: labels and confidence, or values."""
    counts: Counts = {}
    for view in reference.of(target, "answer", "confidence"):
        given: Any = predictions if view.aspect == "answer" else confidence
        if given is not None:
            values = np.array([str(each) for each in given]) if view.names else np.asarray(given, dtype=np.float64)
            counts[view.key] = _count(view, values)
    return counts


def count_mistakes(
    reference: Reference, predictions: Sequence[Any], truths: Sequence[Any], *, target: str = ""
) -> Counts:
    """Return how many answers for a target were right and wrong, or how far off, where their truth came back."""
    return {view.key: _count(view, _mistakes(view, predictions, truths)) for view in reference.of(target, "mistakes")}


def _mistakes(view: View, predictions: Sequence[Any], truths: Sequence[Any]) -> np.ndarray:
    """Return how wrong each answer is: "right" or "wrong" for labels, else how far off."""
    if view.names:
        pairs = zip(predictions, truths, strict=True)
        return np.array(["wrong" if str(answer) != str(truth) else "right" for answer, truth in pairs])
    return np.abs(np.asarray(predictions, dtype=np.float64) - np.asarray(truths, dtype=np.float64))


def measure(kind: str, cells: Sequence[Any], codebook: Codebook | None) -> dict[str, np.ndarray]:
    """Return one value a row for each aspect: floats with NaN where missing, or strings with "" where missing."""
    readers: Mapping[str, Callable[[Sequence[Any], Codebook | None], dict[str, np.ndarray]]] = {
        "number": _number,
        "category": _category,
        "date": _date,
        "text": _text,
        "image": _image,
    }
    return readers[kind](cells, codebook)


def _number(cells: Sequence[Any], _: Codebook | None) -> dict[str, np.ndarray]:
    read = numbers.encode(NumberFeed("x", ("x",)), {"x": cells}, strict=False)
    return {"range": read["x"][:, 0].astype(np.float64)}


def _category(cells: Sequence[Any], _: Codebook | None) -> dict[str, np.ndarray]:
    plain = [None if is_missing(cell) else str(cell) if isinstance(cell, bytes) else cell for cell in cells]
    read = categories.encode(CategoryFeed("x", ("x",)), {"x": plain})
    return {"value": read["x"][:, 0].astype(str)}


def _date(cells: Sequence[Any], _: Codebook | None) -> dict[str, np.ndarray]:
    seconds = dates.encode(DateFeed("x", ("x",)), {"x": cells}, strict=False)["x"][:, 0]
    # 1970-01-01 was a Thursday; Monday is 0.
    return {"weekday": (np.floor(seconds / 86_400) + 3) % 7, "hour": np.floor(seconds % 86_400 / 3_600)}


def _text(cells: Sequence[Any], codebook: Codebook | None) -> dict[str, np.ndarray]:
    missing = np.array([is_missing(cell) or not str(cell).strip() for cell in cells], dtype=bool)
    texts = ["" if gone else str(cell) for cell, gone in zip(cells, missing, strict=True)]
    lengths = np.where(missing, np.nan, np.fromiter(map(len, texts), dtype=np.float64, count=len(texts)))
    values = {"length": lengths, "language": np.array([_language(text) for text in texts], dtype=str)}
    return values | (_grouped(text_vectors(texts), codebook, missing) if codebook is not None else {})


def _image(cells: Sequence[Any], codebook: Codebook | None) -> dict[str, np.ndarray]:
    missing = np.array([is_missing(cell) for cell in cells], dtype=bool)
    pixels = read_pixels(cells)
    values = {
        "brightness": np.where(missing, np.nan, pixels.mean(axis=(1, 2))),
        "contrast": np.where(missing, np.nan, pixels.std(axis=(1, 2))),
    }
    return values | (_grouped(picture_vectors(pixels), codebook, missing) if codebook is not None else {})


def _grouped(vectors: np.ndarray, codebook: Codebook, missing: np.ndarray) -> dict[str, np.ndarray]:
    """Return the nearest group of each row and how far it is from it."""
    cosines = unit(vectors * codebook.weights) @ codebook.centres.T
    nearest = cosines.argmax(axis=1).astype(np.float64)
    far = 1 - cosines.max(axis=1).astype(np.float64)
    return {"group": np.where(missing, np.nan, nearest), "strangeness": np.where(missing, np.nan, far)}


def _language(text: str) -> str:
    """Return the script most of a text's letters are in; "" for a text without letters."""
    start = text[:_LANGUAGE_CHARACTERS]
    han, latin, letters = (sum(map(len, pattern.findall(start))) for pattern in (_HAN, _LATIN, _LETTERS))
    if letters == 0:
        return LANGUAGES[2] if text.strip() else ""
    # A Chinese character says as much as several letters.
    if han * 3 >= latin and han * 2 > letters - latin - han:
        return LANGUAGES[0]
    return LANGUAGES[1] if latin * 2 > letters else LANGUAGES[2]


def _codebook(reference: Reference, column: str) -> Codebook | None:
    return next((each for each in reference.codebooks if each.column == column), None)


def _count(view: View, values: np.ndarray) -> np.ndarray:
    """Return the rows in each cell of a view."""
    return np.bincount(cell_of(view.edges, view.names, values), minlength=len(view.counts))[: len(view.counts)]


def cell_of(edges: Sequence[float], names: Sequence[str], values: np.ndarray) -> np.ndarray:
    """Return the cell of each value, int64 `[rows]`; missing ones go into the last cell.

    With `names` ending in "other" and "missing", values without a cell of their own are "other".
    """
    if not names:
        bins = np.searchsorted(np.asarray(edges), values, side="right")
        return np.where(np.isnan(values), len(edges) + 1, bins).astype(np.int64)
    place = {name: number for number, name in enumerate(names)}
    other = place.get("other", len(names) - 1)
    if values.dtype.kind == "f":  # weekdays, hours and groups are numbered
        return np.where(np.isnan(values), len(names) - 1, np.nan_to_num(values)).astype(np.int64)
    return np.array([len(names) - 1 if each == "" else place.get(each, other) for each in values], dtype=np.int64)
