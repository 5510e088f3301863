"""Make the training reference of a package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from headway.evaluation.drift.counting import LANGUAGES, cell_of, measure
from headway.evaluation.drift.reference import Aspect, Codebook, Kind, Reference, View
from headway.evaluation.drift.vectors import picture_vectors, read_pixels, text_vectors, unit
from headway.runtime.feeds.cells import is_missing

# More rows than these tell little more and cost time at packaging.
MOST_ROWS, MOST_TEXTS, MOST_IMAGES = 20_000, 6_000, 2_000
MOST_BINS, MOST_VALUES, MOST_GROUPS = 10, 30, 20
# A group of texts, or a category with a name in the reference, has at least so many rows: it names nobody.
FEWEST_ROWS = 10
_ROWS_A_GROUP = 25
_ROUNDS = 12
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "missing")


@dataclass(frozen=True)
class TargetAnswers:
    """The answers to the test part for one target, labels or values; `truths` are None where a row has none.

    `confidence` is None for values. All have one entry a row.
    """

    task: Literal["classify", "regress"]
    predictions: Sequence[Any]
    confidence: Sequence[float] | None
    truths: Sequence[Any]


def build_reference(
    columns: Mapping[str, Sequence[Any]],
    kinds: Mapping[str, Kind],
    *,
    answers: Mapping[str, TargetAnswers],
    seed: int,
) -> Reference:
    """Return the reference of training rows (`columns`) and of answers to rows that the model had not learnt from.

    `answers` are those for each of several targets, or for the only one under "". What depends on many rows at once
    (groups of texts, the values of a category) is learnt on one half of the rows and counted on the other, since rows
    look nearer to what was learnt from them than new ones do.
    """
    rows = max((len(cells) for cells in columns.values()), default=0)
    order = np.random.default_rng(seed).permutation(rows)
    views: list[View] = []
    codebooks: list[Codebook] = []
    for column, kind in kinds.items():
        most = {"text": MOST_TEXTS, "image": MOST_IMAGES}.get(kind, MOST_ROWS)
        cells = [columns[column][int(place)] for place in order[:most]]
        codebook = learn_groups(column, kind, cells[: len(cells) // 2], seed=seed)
        codebooks += [] if codebook is None else [codebook]
        views += _views(column, kind, cells, codebook)
    views += [replace(view, target=target) for target, own in answers.items() for view in _answers(own)]
    task = answers[""].task if "" in answers else "several"
    return Reference(task, dict(kinds), tuple(views), tuple(codebooks))


def learn_groups(column: str, kind: Kind, cells: Sequence[Any], *, seed: int) -> Codebook | None:
    """Return groups of similar texts or pictures (spherical k-means); None for other kinds and few rows."""
    present = [cell for cell in cells if not is_missing(cell)]
    count = min(MOST_GROUPS, len(present) // _ROWS_A_GROUP)
    if kind not in {"text", "image"} or count < 2:
        return None
    vectors = text_vectors([str(cell) for cell in present]) if kind == "text" else picture_vectors(read_pixels(present))
    frequency = (vectors != 0).mean(axis=0)
    weights = np.log((1 + len(present)) / (1 + frequency * len(present))) + 1 if kind == "text" else frequency * 0 + 1
    table = unit(vectors * weights)
    centres, sizes = _cluster(table, count, seed=seed)
    large = sizes >= FEWEST_ROWS
    if large.sum() < 2:
        return None
    # As coarse as they will be stored: what is counted here and later must fall into the same cells.
    centres = centres[large]
    unit_size = np.abs(centres).max() / 127
    coarse = (np.round(centres / unit_size) * unit_size).astype(np.float32)
    return Codebook(column, kind, coarse, weights.astype(np.float16).astype(np.float32))


def _cluster(table: np.ndarray, count: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres and sizes of groups of unit vectors (spherical k-means; Dhillon and Modha 2001).

    A few rounds are enough: the groups need not be the best, only the same ever after.
    """
    random = np.random.default_rng(seed)
    centres = table[random.choice(len(table), count, replace=False)]
    labels = np.zeros(len(table), dtype=np.int64)
    for _ in range(_ROUNDS):
        labels = (table @ centres.T).argmax(axis=1)
        sums = np.stack([table[labels == group].sum(axis=0) for group in range(count)])
        centres = np.where(sums.any(axis=1, keepdims=True), unit(sums), centres)
    return centres, np.bincount((table @ centres.T).argmax(axis=1), minlength=count)


def _views(column: str, kind: Kind, cells: Sequence[Any], codebook: Codebook | None) -> Iterator[View]:
    """Yield the views of one input."""
    half = len(cells) // 2
    for aspect, values in measure(kind, cells, codebook).items():
        named = cast("Aspect", aspect)
        if aspect == "value":
            yield _counted(column, named, values[half:], names=_values(values[:half]))
        elif aspect == "language":
            yield _counted(column, named, values, names=(*LANGUAGES, "missing"))
        elif aspect == "weekday":
            yield _counted(column, named, values, names=_DAYS)
        elif aspect == "hour":
            if len(np.unique(values[~np.isnan(values)])) > 1:
                yield _counted(column, named, values, names=(*map(str, range(24)), "missing"))
        elif aspect == "group" and codebook is not None:
            names = (*(f"group {number + 1}" for number in range(len(codebook.centres))), "missing")
            yield _counted(column, named, values[half:], names=names)
        else:
            counted = values[half:] if aspect == "strangeness" else values
            yield _counted(column, named, counted, edges=_edges(counted))


def _answers(answers: TargetAnswers) -> Iterator[View]:
    """Yield the views of the answers for one target."""
    told = [(said, truth) for said, truth in zip(answers.predictions, answers.truths, strict=True) if truth is not None]
    if answers.task == "classify":
        labels = np.array([str(each) for each in answers.predictions])
        names = tuple(dict.fromkeys([*np.unique(labels).tolist(), *(str(truth) for _, truth in told)]))
        yield _counted("", "answer", labels, names=(*names, "other"))
        right = np.array(["right" if str(said) == str(truth) else "wrong" for said, truth in told])
        yield _counted("", "mistakes", right, names=("right", "wrong"))
    else:
        values = np.asarray(answers.predictions, dtype=np.float64)
        yield _counted("", "answer", values, edges=_edges(values))
        off = np.array([abs(said - truth) for said, truth in told], dtype=np.float64)
        yield _counted("", "mistakes", off, edges=_edges(off))
    if answers.confidence is not None:
        given = np.asarray(answers.confidence, dtype=np.float64)
        yield _counted("", "confidence", given, edges=_edges(given))


def _counted(
    column: str, aspect: Aspect, values: np.ndarray, *, edges: tuple[float, ...] = (), names: tuple[str, ...] = ()
) -> View:
    """Return a view with the counts of `values`."""
    cells = len(names) if names else len(edges) + 2
    counts = np.bincount(cell_of(edges, names, values), minlength=cells)
    return View(column, aspect, tuple(counts.tolist()), edges, names)


def _edges(values: np.ndarray) -> tuple[float, ...]:
    """Return the inner edges of bins that hold about as many values each; one bin per value where they are few."""
    finite = values[np.isfinite(values)]
    distinct = np.unique(finite)
    if len(distinct) <= 1:
        return (float(np.nextafter(distinct[0], np.inf)),) if len(distinct) else (0.0,)
    if len(distinct) <= MOST_BINS:
        return tuple(((distinct[1:] + distinct[:-1]) / 2).tolist())
    return tuple(np.unique(np.quantile(finite, np.linspace(0, 1, MOST_BINS + 1)[1:-1])).tolist())


def _values(values: np.ndarray) -> tuple[str, ...]:
    """Return the commonest values of a category, then the cells for all others and for missing ones."""
    found, counts = np.unique(values[values != ""], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_VALUES]
    common = [str(found[place]) for place in order if counts[place] >= FEWEST_ROWS]
    return (*(name for name in common if name not in {"other", "missing"}), "other", "missing")
