"""Find the parts of the rows where a model does worse than elsewhere, beyond chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from headway.data.dataset import Column
from headway.evaluation.scores import Slice

FEWEST_ROWS = 20
MOST_VALUES = 50
SIGNIFICANCE = 0.05
# Microseconds.
DAY = 86_400_000_000
Aspect = Literal["value", "missing", "range", "length", "language"]


@dataclass(frozen=True)
class Part:
    """Rows `[n]` bool that share something readable."""

    column: str
    aspect: Aspect
    condition: str
    rows: np.ndarray


def find_slices(
    rows: pl.DataFrame, inputs: tuple[Column, ...], loss: np.ndarray, *, classify: bool, most: int = 10
) -> tuple[Slice, ...]:
    """Return the parts with a clearly higher mean `loss` `[n]` than the other rows, worst first, at most `most`.

    `loss` is 0 or 1 per row (wrong) for classification, the absolute error for regression; a slice's `score` is the
    accuracy or the mean absolute error in it. Parts have at least 20 rows (and leave 20 outside). The tests
    (hypergeometric for 0 and 1, otherwise Welch's t) are one-sided and corrected for the number of parts looked at
    (Holm 1979), so that a column of many values does not produce false alarms.
    """
    parts = [
        part
        for column in inputs
        if column.name in rows.columns
        for part in split_column(rows[column.name], column)
        if FEWEST_ROWS <= part.rows.sum() <= len(loss) - FEWEST_ROWS
    ]
    p_values = _correct(np.array([_test(loss, part.rows, classify=classify) for part in parts]))
    overall = float(1 - loss.mean() if classify else loss.mean()) if len(loss) else 0.0
    found = [
        (float(loss[part.rows].mean()), part, float(p_value))
        for part, p_value in zip(parts, p_values, strict=True)
        if p_value < SIGNIFICANCE
    ]
    found.sort(key=lambda each: (-each[0], each[2]))
    return tuple(
        Slice(part.column, part.condition, int(part.rows.sum()), 1 - worse if classify else worse, overall,
              part.aspect, p_value)
        for worse, part, p_value in found[:most]
    )  # fmt: skip


def split_column(values: pl.Series, column: Column) -> Iterator[Part]:
    """Yield the parts of one column: values, quantile ranges, text lengths, languages, missing cells."""
    missing = values.is_null()
    yield Part(column.name, "missing", "", missing.to_numpy())
    if column.modality == "text":
        texts = values.cast(pl.String).fill_null("")
        lengths = texts.str.len_chars().cast(pl.Float64)
        yield from _ranges(column.name, "length", lengths.to_numpy(), missing.to_numpy())
        yield from _values(column.name, "language", detect_languages(texts).set(missing, None))
    elif column.modality == "number":
        yield from _ranges(column.name, "range", values.cast(pl.Float64).to_numpy(), missing.to_numpy())
    elif column.modality == "date":
        yield from _periods(column.name, values.cast(pl.Datetime("us")), missing.to_numpy())
    elif column.modality == "category":
        yield from _values(column.name, "value", values.cast(pl.String))


def detect_languages(texts: pl.Series) -> pl.Series:
    """Return "zh", "en" or "other" per text, by its letters alone.

    zh: at least 30% of the letters are Han and there is no kana or Hangul. en: at least 90% are plain Latin letters
    (another language without accents counts as en too). other: everything else, texts without letters included.
    """
    counts = pl.select(
        texts.str.count_matches(r"\p{L}").alias("letters"),
        texts.str.count_matches(r"\p{Han}").alias("han"),
        texts.str.count_matches(r"[\p{Hiragana}\p{Katakana}\p{Hangul}]").alias("neighbour"),
        texts.str.count_matches(r"[A-Za-z]").alias("latin"),
    )
    some = pl.col("letters") > 0
    chinese = some & (pl.col("neighbour") == 0) & (pl.col("han") >= 0.3 * pl.col("letters"))
    english = some & (pl.col("latin") >= 0.9 * pl.col("letters"))
    language = pl.when(chinese).then(pl.lit("zh")).when(english).then(pl.lit("en")).otherwise(pl.lit("other"))
    return counts.select(language.alias(texts.name)).to_series()


def _values(name: str, aspect: Aspect, values: pl.Series) -> Iterator[Part]:
    """Yield a part per value, the commonest first."""
    counts = values.drop_nulls().value_counts(sort=True)
    for value in counts[values.name].head(MOST_VALUES):
        yield Part(name, aspect, str(value), (values == value).fill_null(value=False).to_numpy())


def _ranges(name: str, aspect: Aspect, numbers: np.ndarray, missing: np.ndarray, parts: int = 5) -> Iterator[Part]:
    """Yield quantile ranges, and each value by itself where there are few."""
    usable = ~missing & np.isfinite(numbers)
    distinct = np.unique(numbers[usable])
    if len(distinct) <= parts:
        for value in distinct:
            yield Part(name, aspect, f"= {value:.6g}", usable & (numbers == value))
        return
    edges = np.unique(np.quantile(numbers[usable], np.linspace(0, 1, parts + 1)[1:-1]))
    bins = np.searchsorted(edges, numbers, side="right")
    for index in range(len(edges) + 1):
        low = f">= {edges[index - 1]:.6g}" if index > 0 else ""
        high = f"< {edges[index]:.6g}" if index < len(edges) else ""
        yield Part(name, aspect, ", ".join(text for text in (low, high) if text), usable & (bins == index))


def _periods(name: str, dates: pl.Series, missing: np.ndarray, parts: int = 5) -> Iterator[Part]:
    """Yield quantile ranges of time."""
    stamps = dates.dt.timestamp("us").cast(pl.Float64).to_numpy()
    if missing.all():
        return
    edges = np.quantile(stamps[~missing], np.linspace(0, 1, parts + 1)[1:-1])
    # Whole days read better wherever the data cover more than a month.
    unit: Literal["D", "m"] = "D" if np.ptp(stamps[~missing]) > 30 * DAY else "m"
    written = np.unique(edges.astype(np.int64).view("datetime64[us]").astype(f"datetime64[{unit}]"))
    edges = written.astype("datetime64[us]").astype(np.float64)
    bins = np.searchsorted(edges, stamps, side="right")
    for index in range(len(edges) + 1):
        low = f">= {written[index - 1]}" if index > 0 else ""
        high = f"< {written[index]}" if index < len(edges) else ""
        yield Part(name, "range", ", ".join(text for text in (low, high) if text), ~missing & (bins == index))


def _test(loss: np.ndarray, inside: np.ndarray, *, classify: bool) -> float:
    """Return the one-sided p-value of a higher mean loss inside than outside."""
    from scipy import stats

    if classify:
        return float(stats.hypergeom.sf(loss[inside].sum() - 1, len(loss), loss.sum(), inside.sum()))
    here, there = loss[inside], loss[~inside]
    error = np.sqrt(here.var(ddof=1) / len(here) + there.var(ddof=1) / len(there))
    return float(stats.norm.sf((here.mean() - there.mean()) / error)) if error > 0 else 1.0


def _correct(p_values: np.ndarray) -> np.ndarray:
    """Return p-values corrected by Holm's step-down method."""
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values, dtype=np.float64)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(steps) else steps
    return corrected
