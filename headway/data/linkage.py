"""Records of short fields that mean the same thing: blocking, then a weight of evidence per field.

The score is that of Fellegi and Sunter (1969): the sum over the fields of log2 of how much likelier an agreement
is between two records of one thing than between two records drawn at random. Agreement on a rare value counts for
more than on a common one (Winkler 1989); spellings that are nearly equal count for part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.data.casting import normalise_text
from headway.data.dataset import ROW
from headway.data.inference import guess_column
from headway.data.near_texts import candidate_pairs, distinct_pairs, gram_hashes, minhash, pairs_in_buckets

# A pair is linked when its evidence outweighs, by so many bits, the chance of meeting one such pair for every row. The
# margin pays for fields that depend on each other (a postcode and its suburb), which the sum counts twice.
_MARGIN = 10.0
# The chance that a true pair differs in a field, in bits: it is what a difference costs.
_DIFFERS = 2.5
# A different spelling never says more than this share of what the same one would say.
_ALMOST = 0.8
_RANDOM_PAIRS = 50_000
_CROWD = 40
_BITS = 256
_PART = 200_000
_STRONGEST = 14.0


@dataclass(frozen=True)
class _Field:
    """One column as codes of its distinct values (-1: missing), with each value's bits of rarity and spelling.

    `chance`: the sorted similarities of random pairs of rows, to tell how surprising a similarity is in this field.
    """

    codes: np.ndarray
    rarity: np.ndarray
    spelling: np.ndarray
    chance: np.ndarray


def link(frame: pl.DataFrame, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Return the pairs of rows that seem to be records of one thing: `left`, `right` (positions), `score` (bits).

    `columns` are the fields to compare; by default all but row numbers, identifiers and constants. Pairs are found by
    equal values in a field and by MinHash over all fields, so that no single field needs to be right.
    """
    names = list(columns) if columns is not None else _comparable(frame)
    schema = {"left": pl.UInt32, "right": pl.UInt32, "score": pl.Float64}
    if not names or frame.height < 2:
        return pl.DataFrame(schema=schema)
    values = [normalise_text(frame[name].cast(pl.String)).replace("", None) for name in names]
    fields = [_field(value) for value in values]
    pairs = _block(values, fields, frame.height)
    score = _scores(pairs, fields)
    linked = score >= np.log2(frame.height * (frame.height - 1) / 2 / max(1, frame.height)) + _MARGIN
    left, right = pairs[linked].T
    return pl.DataFrame({"left": left, "right": right, "score": score[linked]}).cast(schema)  # type: ignore[arg-type]


def _comparable(frame: pl.DataFrame) -> list[str]:
    names = [name for name, kind in frame.schema.items() if name != ROW and kind != pl.Binary]
    return [name for name in names if guess_column(frame[name]).use]


def _field(values: pl.Series) -> _Field:
    distinct = values.drop_nulls().unique(maintain_order=True)
    codes = values.replace_strict(distinct, np.arange(len(distinct)), default=-1, return_dtype=pl.Int64).to_numpy()
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    rarity = np.minimum(np.log2(len(values) / np.maximum(counts, 1)), _STRONGEST)
    spelling = _spell(distinct)
    known = codes[codes >= 0]
    if len(known) == 0:
        return _Field(codes, rarity, spelling, np.zeros(1))
    left, right = np.random.default_rng(0).choice(known, (2, _RANDOM_PAIRS))
    differ = left != right
    return _Field(codes, rarity, spelling, np.sort(_alike(spelling, left[differ], right[differ])))


def _spell(values: pl.Series) -> np.ndarray:
    """Return `[n, 4]` uint64: which letter pairs a value has, hashed to 256 bits; edges count as letters."""
    if len(values) == 0:
        return np.zeros((0, _BITS // 64), np.uint64)
    hashes, offsets = gram_hashes("\x02" + values + "\x03", 2)
    slots = (hashes % np.uint64(_BITS)).astype(np.int64)
    bits = np.zeros((len(values), _BITS), dtype=bool)
    bits[np.repeat(np.arange(len(values)), np.diff(offsets)), slots] = True
    return np.packbits(bits, axis=1).view(np.uint64)


def _block(values: list[pl.Series], fields: list[_Field], size: int) -> np.ndarray:
    """Return the pairs worth comparing: equal in one telling field, in two weak ones, or alike as a whole."""
    found = [_equal_pairs(field.codes) for field in fields]
    for i, first in enumerate(fields):
        for second in fields[i + 1 :]:
            both = (first.codes >= 0) & (second.codes >= 0)
            found.append(_equal_pairs(np.where(both, first.codes * (second.codes.max() + 1) + second.codes, -1)))
    whole = pl.select(pl.concat_str(values, separator=" ", ignore_nulls=True)).to_series()
    found.append(candidate_pairs(minhash(*gram_hashes(whole, 3), seed=2), bands=32))
    return distinct_pairs(found, size)


def _equal_pairs(codes: np.ndarray) -> np.ndarray:
    known = np.flatnonzero(codes >= 0)
    return known[pairs_in_buckets(codes[known], crowd=_CROWD)] if len(known) else np.empty((0, 2), np.int64)


def _scores(pairs: np.ndarray, fields: list[_Field]) -> np.ndarray:
    """Return `[k]` float64: the bits of evidence that each pair is one thing."""
    total = np.zeros(len(pairs))
    for start in range(0, len(pairs), _PART):
        left, right = pairs[start : start + _PART].T
        for field in fields:
            total[start : start + _PART] += _evidence(field, field.codes[left], field.codes[right])
    return total


def _evidence(field: _Field, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    filled = (left >= 0) & (right >= 0)
    alike = _alike(field.spelling, left, right)
    reached = len(field.chance) - np.searchsorted(field.chance, alike)
    surprise = -np.log2((reached + 1) / (len(field.chance) + 1))
    agrees = np.minimum(field.rarity[left], field.rarity[right])
    bits = np.where(left == right, agrees, np.minimum(surprise - _DIFFERS, _ALMOST * agrees))
    return np.where(filled, bits, 0.0)


def _alike(spelling: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the share of letter pairs that values have in common (Jaccard)."""
    a, b = spelling[left], spelling[right]
    union = np.bitwise_count(a | b).sum(axis=1)
    share: np.ndarray = np.bitwise_count(a & b).sum(axis=1) / np.maximum(union, 1)
    return share
