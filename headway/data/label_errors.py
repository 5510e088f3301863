"""Labels that are probably wrong, by confident learning (Northcutt et al. 2021) as cleanlab implements it."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import replace
from typing import Literal

import numpy as np
import polars as pl

from headway.data.changes import list_changes, take
from headway.data.dataset import ROW, Dataset
from headway.errors import MissingExtraError

# A suspected row counts for this much where `label_errors: weight` is wished.
_SUSPECTED_WEIGHT = 0.25
_SCHEMA = {
    "position": pl.Int64,
    ROW: pl.UInt32,
    "label": pl.String,
    "suggested": pl.String,
    "confidence": pl.Float64,
    "quality": pl.Float64,
}


def find_label_errors(dataset: Dataset, probabilities: np.ndarray) -> pl.DataFrame:
    """Return the rows whose label is probably wrong, the most suspicious first.

    `probabilities`: `[n, labels]` out-of-fold (no row may have been trained on itself). The columns are `position`
    (into the dataset), `ROW`, `label`, `suggested`, `confidence` (probability of the suggestion) and `quality`
    (probability of the given label). Raises MissingExtraError without cleanlab. Regression has no label errors.
    """
    if dataset.task != "classify" or len(dataset) == 0:
        return pl.DataFrame(schema=_SCHEMA)
    if importlib.util.find_spec("cleanlab") is None:
        raise MissingExtraError("clean", purpose="finding label errors")
    from cleanlab.filter import find_label_issues

    shares = np.clip(np.asarray(probabilities, np.float64), 1e-9, 1)
    shares /= shares.sum(axis=1, keepdims=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = find_label_issues(
            dataset.y, shares, return_indices_ranked_by="self_confidence", filter_by="prune_by_noise_rate", n_jobs=1
        )
    positions = np.asarray(found, np.int64)
    best = shares[positions].argmax(axis=1)
    # A row whose own label is still the likeliest is no error.
    positions, best = positions[best != dataset.y[positions]], best[best != dataset.y[positions]]
    names = np.array([str(label) for label in dataset.labels])
    columns = {
        "position": positions,
        ROW: dataset.rows[ROW].to_numpy()[positions],
        "label": names[dataset.y[positions]],
        "suggested": names[best],
        "confidence": shares[positions, best],
        "quality": shares[positions, dataset.y[positions]],
    }
    return pl.DataFrame(columns, schema=_SCHEMA)


def apply_label_errors(dataset: Dataset, errors: pl.DataFrame, mode: Literal["drop", "weight"]) -> Dataset:
    """Return the dataset without the rows in `errors`, or with a quarter of their weight, each with its reason."""
    positions = errors["position"].to_numpy()
    reasons = [
        f"the label {label!r} is probably {suggested!r} ({confidence:.0%})"
        for label, suggested, confidence in errors.select("label", "suggested", "confidence").rows()
    ]
    changes = list_changes(errors[ROW].to_numpy(), "label_error", reasons)
    if mode == "drop":
        return take(dataset, np.setdiff1d(np.arange(len(dataset)), positions), changes)
    weight = np.ones(len(dataset), np.float32) if dataset.weight is None else dataset.weight.copy()
    weight[positions] *= _SUSPECTED_WEIGHT
    return replace(dataset, weight=weight, changes=pl.concat([dataset.changes, changes]))
