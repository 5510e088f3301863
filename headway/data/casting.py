"""From raw cells to columns typed by modality, with the cells that do not fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.data.dataset import ModalityName
from headway.runtime.feeds.cells import canonical
from headway.runtime.feeds.dates import encode as encode_dates
from headway.runtime.feeds.numbers import encode as encode_numbers
from headway.runtime.feeds.numbers import plain_number
from headway.runtime.manifest import DateFeed, NumberFeed

# Formats that Polars reads at once; whatever is left goes through the runtime's own, slower reader.
_QUICK_DATES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d", "%Y%m%d")

_COUNTRY_DATE = r"^\s*\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})(?:[ T].*)?$"

# How people write "no value" in a number or date column, in lower case, as the runtime reads it too.
_MARKERS = ("", "na", "n/a", "nan", "nat", "null", "none", "?", "-")


@dataclass(frozen=True)
class CastColumn:
    """A typed column; `faults` are the positions (`[k]` int64) whose cells did not fit and became null."""

    series: pl.Series
    faults: np.ndarray
    reason: str = ""


def cast_column(series: pl.Series, modality: ModalityName) -> CastColumn:
    """Return `series` typed as `headway.data.dataset.Dataset` promises for `modality`."""
    if modality == "number":
        return cast_numbers(series)
    if modality == "date":
        return cast_dates(series)
    if modality == "category":
        return CastColumn(_as_categories(series), _nowhere())
    if modality == "image" and series.dtype == pl.Binary:
        return CastColumn(series, _nowhere())
    return CastColumn(_as_text(series), _nowhere())


def cast_numbers(series: pl.Series) -> CastColumn:
    """Return Float64; cells that are no finite number are faults. Spellings are those the runtime reads."""
    if series.dtype == pl.String:
        text = series.str.strip_chars()
        values = text.cast(pl.Float64, strict=False)
        unread = text.filter(values.is_null() & text.is_not_null()).unique()
        if len(unread):
            values = values.fill_null(_replace(text, unread, _runtime_numbers(unread), pl.Float64))
    elif series.dtype.is_numeric() or series.dtype == pl.Boolean:
        values = series.cast(pl.Float64)
    else:
        values = pl.Series(series.name, [None] * len(series), pl.Float64)
    finite = values.is_finite().fill_null(value=False)
    faults = _is_filled(series) & ~finite & ~values.is_nan().fill_null(value=False)
    clean = pl.select(pl.when(finite).then(values)).to_series().alias(series.name)
    return CastColumn(clean, faults.arg_true().to_numpy().astype(np.int64), "not a finite number")


def cast_dates(series: pl.Series) -> CastColumn:
    """Return Datetime (microseconds, UTC without zone); cells that are no date are faults."""
    if series.dtype == pl.Date:
        return CastColumn(series.cast(pl.Datetime("us")), _nowhere())
    if isinstance(series.dtype, pl.Datetime):
        zoned = series.dt.convert_time_zone("UTC") if series.dtype.time_zone else series
        return CastColumn(zoned.dt.replace_time_zone(None).cast(pl.Datetime("us")), _nowhere())
    text = (series if series.dtype == pl.String else series.cast(pl.String)).str.strip_chars()
    values = pl.Series(series.name, [None], pl.Datetime("us")).new_from_index(0, len(text))
    for quick in _QUICK_DATES:
        left = values.is_null() & text.is_not_null()
        if left.any():
            values = values.fill_null(text.str.to_datetime(quick, strict=False, time_unit="us"))
    unread = text.filter(values.is_null() & text.is_not_null()).unique()
    if len(unread):
        seconds = encode_dates(DateFeed("d", ("d",)), {"d": unread.to_list()}, strict=False)["d"][:, 0]
        micros = np.where(np.isfinite(seconds), seconds * 1e6, 0).round().astype(np.int64)
        moments = pl.Series(micros).cast(pl.Datetime("us"))
        known = pl.select(pl.when(pl.Series(np.isfinite(seconds))).then(moments)).to_series()
        values = values.fill_null(_replace(text, unread, known, pl.Datetime("us")))
    faults = (_is_filled(series) & values.is_null()).arg_true().to_numpy().astype(np.int64)
    return CastColumn(values.alias(series.name), faults, "not a date")


def find_country_date(series: pl.Series) -> str | None:
    """Return the first date that ends with the year, as 5/3/2024, where most texts are such; else None.

    It is May in one country and March in another, and one cell cannot tell.
    """
    texts = series.drop_nulls().head(2000)
    if texts.dtype != pl.String:
        return None
    found = texts.filter(texts.str.contains(_COUNTRY_DATE))
    return str(found[0]) if len(found) > 0.8 * len(texts) else None


def normalise_text(series: pl.Series) -> pl.Series:
    """Return the text in the form in which two texts count as the same: NFKC, lower case, single blanks."""
    text = series if series.dtype == pl.String else _as_text(series)
    return text.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _is_filled(series: pl.Series) -> pl.Series:
    """Tell which cells hold something that should be a value."""
    if series.dtype != pl.String:
        return series.is_not_null()
    return series.is_not_null() & ~series.str.strip_chars().str.to_lowercase().is_in(_MARKERS).fill_null(value=False)


def _as_text(series: pl.Series) -> pl.Series:
    return series if series.dtype == pl.String else series.cast(pl.String)


def _as_categories(series: pl.Series) -> pl.Series:
    """Return the canonical spelling of each value, so that 1, 1.0 and "1" are one category."""
    if series.dtype == pl.Boolean:
        return series.cast(pl.String)
    text = _as_text(series)
    distinct = text.drop_nulls().unique()
    spelt = pl.Series([canonical(value, 0, series.name) or None for value in distinct.to_list()], dtype=pl.String)
    return _replace(text, distinct, spelt, pl.String).alias(series.name)


def _runtime_numbers(texts: pl.Series) -> pl.Series:
    # The runtime's range is float32's; only spellings that Polars does not know come here.
    values = encode_numbers(NumberFeed("n", ("n",)), {"n": texts.to_list()}, strict=False)["n"][:, 0]
    plain = np.array([_exact(text, value) for text, value in zip(texts.to_list(), values.tolist(), strict=True)])
    return pl.Series(plain, dtype=pl.Float64).fill_nan(None)


def _exact(text: str, value: float) -> float:
    try:
        return float(plain_number(text)) if value == value else value  # noqa: PLR0124 - NaN is not itself
    except ValueError:
        return value


def _replace(text: pl.Series, old: pl.Series, new: pl.Series, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    return text.replace_strict(old, new, default=None, return_dtype=dtype)


def _nowhere() -> np.ndarray:
    return np.empty(0, np.int64)
