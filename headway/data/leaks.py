"""Columns that give the target away."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from headway.data.casting import cast_numbers, normalise_text

_SAMPLE = 50_000
# From this share of rows on, a column alone is said to tell the target.
_TELLS = 0.999
# A category must recur this often on average, or a different value in every row would tell everything.
_RECURS = 5


@dataclass(frozen=True)
class Leak:
    """Why a column is suspected; `certain` when it is a copy or a renaming of the target and should be left out."""

    reason: str
    certain: bool


def find_leak(column: pl.Series, target: pl.Series, modality: str | None, task: str) -> Leak | None:
    """Return why `column` seems to give `target` away, or None; looks at 50,000 evenly spaced rows at most."""
    if modality not in ("category", "number", "date"):
        return None
    step = max(1, len(target) // _SAMPLE)
    frame = pl.DataFrame({"x": column, "y": target}).gather_every(step).drop_nulls("y")
    if frame.height < 20 or frame["y"].n_unique() < 2:
        return None
    return _regression_leak(frame) if task == "regress" else _classification_leak(frame, modality)


def _regression_leak(frame: pl.DataFrame) -> Leak | None:
    x, y = cast_numbers(frame["x"]).series, cast_numbers(frame["y"]).series
    both = pl.DataFrame({"x": x, "y": y}).drop_nulls()
    if both.height < 20 or both["x"].n_unique() < 10:
        return None
    if (both["x"] == both["y"]).mean() >= _TELLS:  # type: ignore[operator]
        return Leak("a copy of the target", certain=True)
    correlation = both.select(pl.corr("x", "y")).item()
    if correlation is not None and abs(correlation) >= 0.9999:
        return Leak(f"its correlation with the target is {correlation:.5f}", certain=False)
    return None


def _classification_leak(frame: pl.DataFrame, modality: str) -> Leak | None:
    majority = int(frame["y"].value_counts()["count"].to_numpy().max()) / frame.height
    if frame.height / frame["x"].n_unique() >= _RECURS:
        pure = _purity(frame.with_columns(normalise_text(frame["x"])))
        if pure >= _TELLS and 1 - pure <= 0.02 * (1 - majority):
            return Leak(f"each of its values stands with one answer only in {pure:.2%} of the rows", certain=True)
        return None
    if modality != "number" or frame["y"].n_unique() > 20:
        return None
    ordered = frame.with_columns(cast_numbers(frame["x"]).series).drop_nulls().sort("x")
    # Sorted by a column that tells the target, the answers come in one run each.
    runs = (ordered["y"] != ordered["y"].shift()).sum() + 1
    if ordered.height >= 50 and runs <= ordered["y"].n_unique():
        return Leak("its order alone separates the answers", certain=False)
    return None


def _purity(frame: pl.DataFrame) -> float:
    """Return the share of rows whose answer is the most common one for their value."""
    counts = frame.group_by("x", "y").len().group_by("x").agg(pl.col("len").max())
    return float(counts["len"].sum() / frame.height)
