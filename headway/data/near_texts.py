"""Near duplicates among texts, by MinHash (Broder 1997) with banded locality-sensitive hashing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import polars as pl

# Two texts are nearly the same when this share of their character n-grams is common (Jaccard).
SIMILAR = 0.8
GRAM = 3
_PERMUTATIONS = 64
# 16 bands of 4: a pair at Jaccard 0.8 is met with a chance of 1 - (1 - 0.8^4)^16 = 99.98%, one at 0.5 with 64%.
_BANDS = 16
_CHUNK = 20_000
# Only the start of very long texts is compared.
_LONGEST = 5_000
# In a crowded bucket every text is compared with so many next ones only, with fewer where the pairs would get too many.
_CROWD = 50
_MOST_PAIRS = 4_000_000
# Of more pairs than this the estimate decides.
_MOST_EXACT = 300_000


def find_near_texts(texts: pl.Series, *, similar: float = SIMILAR, gram: int = GRAM) -> np.ndarray:
    """Return `[k, 2]` int64: pairs of positions whose texts share `similar` of their character `gram`-grams.

    `texts` should be normalised; blanks, punctuation and empty texts do not count. Candidates come from MinHash (rensa)
    and are verified on the n-grams themselves. In a cluster not every pair is listed, but its rows are connected.
    """
    bare = texts.str.replace_all(r"[\s\p{P}\p{S}]+", "").str.slice(0, _LONGEST)
    known = np.flatnonzero((bare.str.len_chars() >= 2).fill_null(value=False).to_numpy())
    if len(known) < 2:
        return np.empty((0, 2), np.int64)
    hashes, offsets = gram_hashes(bare.gather(known), gram)
    digests = minhash(hashes, offsets, seed=1)
    pairs = candidate_pairs(digests)
    # The digests estimate the share with a standard error of 1/16 at most; only what may pass is counted exactly.
    share = _estimate(digests, pairs)
    pairs, share = pairs[share >= similar - 0.2], share[share >= similar - 0.2]
    if len(pairs) <= _MOST_EXACT:
        share = _jaccard(pairs, hashes, offsets)
    return np.asarray(known[pairs[share >= similar]], np.int64)


def _estimate(digests: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return `[k]` float64: the share of n-grams that each pair seems to have in common."""
    share = np.empty(len(pairs))
    for start in range(0, len(pairs), _CHUNK):
        left, right = pairs[start : start + _CHUNK].T
        share[start : start + _CHUNK] = (digests[left] == digests[right]).mean(axis=1)
    return share


def gram_hashes(texts: pl.Series, gram: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct n-gram hashes of all texts (uint64, one text after the other) and `[n + 1]` offsets."""
    joined = texts.str.join("")[0].encode("utf-32-le")
    points = np.frombuffer(joined, dtype="<u4").astype(np.uint64)
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    rolled = points * np.uint64(0x9E3779B97F4A7C15)
    mixed = rolled.copy()
    for step in range(1, gram):
        mixed[:-step] = mixed[:-step] * np.uint64(0xD6E8FEB86659FD93) + rolled[step:]
    mixed ^= mixed >> np.uint64(29)
    # A text shorter than one n-gram counts as a single n-gram.
    counts = np.maximum(lengths - gram + 1, 1)
    ends = np.cumsum(counts)
    within = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    row = np.repeat(np.arange(len(lengths)), counts)
    values = mixed[np.minimum(starts[row] + within, len(points) - 1)]
    short = np.flatnonzero(lengths < gram)
    values[(ends - counts)[short]] = texts.gather(short).hash(seed=0).to_numpy()
    order = np.lexsort((values, row))
    values, row = values[order], row[order]
    first = np.ones(len(values), dtype=bool)
    first[1:] = (values[1:] != values[:-1]) | (row[1:] != row[:-1])
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row[first], minlength=len(lengths)))])
    return values[first], offsets


def minhash(hashes: np.ndarray, offsets: np.ndarray, *, seed: int) -> np.ndarray:
    """Return the MinHash digests of all rows, `[n, 64]` uint32."""
    from rensa import RMinHash

    rows: list[Sequence[int]] = []
    for start in range(0, len(offsets) - 1, _CHUNK):
        part = offsets[start : start + _CHUNK + 1]
        flat = hashes[part[0] : part[-1]]
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(flat, part - part[0], _PERMUTATIONS, seed)
        rows += matrix.to_rows()
    return np.array(rows, dtype=np.uint32).reshape(len(rows), _PERMUTATIONS)


def candidate_pairs(digests: np.ndarray, *, bands: int = _BANDS) -> np.ndarray:
    """Return `[k, 2]` int64 distinct pairs of rows that agree in at least one band of their digests."""
    width = digests.shape[1] // bands
    mix = np.random.default_rng(0).integers(1, 2**63, width, dtype=np.uint64) | np.uint64(1)
    keys = (digests.reshape(len(digests), bands, width).astype(np.uint64) * mix).sum(axis=2)
    crowd = max(1, min(_CROWD, _MOST_PAIRS // (len(digests) * bands)))
    return distinct_pairs([pairs_in_buckets(band, crowd=crowd) for band in keys.T], len(digests))


def distinct_pairs(found: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Return the distinct pairs (`[k, 2]` int64) of positions below `size` among all `found` ones."""
    pairs = np.concatenate(found)
    codes = np.unique(pairs[:, 0] * size + pairs[:, 1])
    return np.stack(np.divmod(codes, size), axis=1)


def pairs_in_buckets(keys: np.ndarray, *, crowd: int = _CROWD) -> np.ndarray:
    """Return `[k, 2]` int64 pairs of positions with equal keys; in crowds only pairs of neighbours in the order."""
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    starts = np.concatenate([[0], edges])
    sizes = np.diff(np.concatenate([starts, [len(keys)]]))
    found = [np.empty((0, 2), np.int64)]
    for distance in itertools.count(1):
        # Pairs `distance` apart in the sorted order, for all buckets that are large enough, at once.
        wide = sizes > distance
        if distance > crowd or not wide.any():
            break
        left = _ranges(starts[wide], sizes[wide] - distance)
        found.append(np.stack([order[left], order[left + distance]], axis=1))
    return np.sort(np.concatenate(found), axis=1)


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the concatenation of `arange(start, start + length)`."""
    ends = np.cumsum(lengths)
    result: np.ndarray = np.arange(ends[-1]) - np.repeat(ends - lengths - starts, lengths)
    return result


def _jaccard(pairs: np.ndarray, hashes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return `[k]` float64: the exact share of common n-grams of each pair."""
    sets = [hashes[offsets[i] : offsets[i + 1]] for i in range(len(offsets) - 1)]
    shares = np.empty(len(pairs))
    for position, (left, right) in enumerate(pairs.tolist()):
        a, b = sets[left], sets[right]
        if min(len(a), len(b)) < max(len(a), len(b)) * 0.5:
            shares[position] = 0.0
            continue
        common = len(a) + len(b) - len(np.union1d(a, b))
        shares[position] = common / (len(a) + len(b) - common)
    return shares
