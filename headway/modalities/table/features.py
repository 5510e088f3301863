"""One matrix of features for all columns of a table, learnt on training rows and computed by ONNX nodes ever after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.data.dataset import Column
from headway.modalities.category.lookup import Lookup, fit_lookup, lookup_nodes
from headway.modalities.date.calendar import Calendar, calendar_nodes, fit_calendar
from headway.modalities.number.scaling import (
    Scaling,
    add_hinges,
    add_pairs,
    add_steps,
    fit_scaling,
    scaling_nodes,
)
from headway.modalities.table import session
from headway.modalities.table.feeds import encode_rows, table_feeds
from headway.modalities.table.texts import TextComponents, component_nodes, fit_components
from headway.runtime.manifest import Feed

# scaled: filled and standardised (linear models, networks). plain: as they are, missing as NaN (trees).
Style = Literal["scaled", "plain", "codes"]
Basis = Literal["plain", "hinges", "steps", "pairs"]
# Far beyond any real number, and sums of a hundred million of it are still finite.
_LARGEST = np.float32(1e30)
_TEXT_ROWS = 512


@dataclass(frozen=True)
class Features:
    """The fitted steps of one table; `width` columns come out, those of categories last.

    Numbers, date parts and text components stand side by side before `scaling` (None leaves them as they are).
    """

    feeds: tuple[Feed, ...]
    calendar: Calendar | None
    texts: tuple[TextComponents, ...]
    lookup: Lookup | None
    scaling: Scaling | None
    measures: int

    @property
    def width(self) -> int:
        """Return the number of features."""
        numeric = self.measures if self.scaling is None else self.scaling.width
        return numeric + (0 if self.lookup is None else self.lookup.width)


def fit_features(
    rows: pl.DataFrame,
    inputs: Sequence[Column],
    targets: np.ndarray,
    *,
    style: Style,
    seed: int,
) -> tuple[Features, np.ndarray]:
    """Learn the features of `rows`; return them and the training matrix, float32 `[n, width]`.

    `targets`: float `[n, t]`, classes as columns of 0 and 1, or one column of standardised values; used for the target
    means of categories, which are out of fold in the returned matrix.
    """
    feeds = table_feeds(inputs)
    arrays = encode_rows([feed for feed in feeds if feed.kind != "characters"], rows)
    calendar = fit_calendar(arrays["dates"], waves=style != "plain") if "dates" in arrays else None
    lookup, own = None, np.zeros((len(rows), 0), np.float32)
    if "categories" in arrays:
        kind: Literal["linear", "trees", "codes"] = {"scaled": "linear", "plain": "trees", "codes": "codes"}[style]  # type: ignore[assignment]
        lookup, own = fit_lookup(arrays["categories"], targets, style=kind, seed=seed)
    texts = tuple(fit_components(rows, feed.columns[0], seed=seed) for feed in feeds if feed.kind == "characters")
    features = Features(feeds, calendar, texts, lookup, None, 0)
    measures = run_measures(features, rows)
    features = replace(features, measures=measures.shape[1])
    if style != "plain" and measures.shape[1]:
        features = replace(features, scaling=fit_scaling(measures))
    return features, np.concatenate([_scaled(features.scaling, measures), own], axis=1)


def rebase(features: Features, rows: pl.DataFrame, matrix: np.ndarray, *, basis: Basis) -> tuple[Features, np.ndarray]:
    """Return scaled features with a richer `basis` of the numbers, and the training matrix that goes with it."""
    if features.scaling is None or basis == "plain":
        return features, matrix
    measures = run_measures(features, rows)
    scaling = _richer(features.scaling, measures, basis)
    own = matrix[:, features.scaling.width :]
    return replace(features, scaling=scaling), np.concatenate([_scaled(scaling, measures), own], axis=1)


def _richer(scaling: Scaling, measures: np.ndarray, basis: Basis) -> Scaling:
    if basis == "hinges":
        return add_hinges(scaling, measures)
    return add_steps(scaling, measures) if basis == "steps" else add_pairs(scaling)


def transform(features: Features, rows: pl.DataFrame) -> np.ndarray:
    """Return the features of new rows, float32 `[n, width]`, computed by the very nodes that are exported."""
    inputs = session.arguments(features.feeds)
    onnx = session.build(inputs, {"features": feature_nodes(features, inputs)})
    return _in_parts(onnx, features.feeds, rows, features.width)


def feature_nodes(features: Features, inputs: Mapping[str, Var]) -> Var:
    """Return float32 `[rows, width]` from the graph inputs by feed name."""
    parts = []
    measures = _measure_nodes(features, inputs)
    if measures is not None:
        parts.append(measures if features.scaling is None else scaling_nodes(features.scaling, measures))
    if features.lookup is not None:
        parts.append(lookup_nodes(features.lookup, inputs["categories"]))
    return op.concat(parts, axis=1) if len(parts) > 1 else parts[0]


def run_measures(features: Features, rows: pl.DataFrame) -> np.ndarray:
    """Return numbers, date parts and text components side by side, float32 `[rows, measures]`, NaN where missing."""
    inputs = session.arguments(features.feeds)
    nodes = _measure_nodes(features, inputs)
    if nodes is None:
        return np.zeros((len(rows), 0), np.float32)
    used = {name: inputs[name] for name in inputs if name != "categories"}
    feeds = tuple(feed for feed in features.feeds if feed.name in used)
    return _in_parts(session.build(used, {"measures": nodes}), feeds, rows, features.measures)


def _measure_nodes(features: Features, inputs: Mapping[str, Var]) -> Var | None:
    parts = []
    if "numbers" in inputs:
        parts.append(_bounded(inputs["numbers"]))
    if features.calendar is not None:
        parts.append(calendar_nodes(features.calendar, inputs["dates"]))
    parts += [component_nodes(text, inputs[f"chars:{text.vocabulary.column}"]) for text in features.texts]
    if not parts:
        return None
    return op.concat(parts, axis=1) if len(parts) > 1 else parts[0]


def _in_parts(onnx: bytes, feeds: Sequence[Feed], rows: pl.DataFrame, width: int) -> np.ndarray:
    """Return the one output of a graph for `rows`, some thousand at a time where texts make them wide."""
    size = _TEXT_ROWS if any(feed.kind == "characters" for feed in feeds) else max(1, rows.height)
    run = session.opened(onnx)
    parts = [run(encode_rows(feeds, rows[start : start + size]))[0] for start in range(0, rows.height, size)]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, width), np.float32)


def _bounded(numbers: Var) -> Var:
    """Cut absurd values to the largest allowed; comparisons with NaN are false, so missing stays missing."""
    above = op.where(op.greater(numbers, op.const(_LARGEST)), op.const(_LARGEST), numbers)
    return op.where(op.less(above, op.const(-_LARGEST)), op.const(-_LARGEST), above)


def _scaled(scaling: Scaling | None, measures: np.ndarray) -> np.ndarray:
    if scaling is None:
        return measures
    inputs = {"measures": session.argument(measures.shape[1])}
    onnx = session.build(inputs, {"scaled": scaling_nodes(scaling, inputs["measures"])})
    return np.asarray(session.run(onnx, {"measures": measures})[0], np.float32)
