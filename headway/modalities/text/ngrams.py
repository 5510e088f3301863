"""Character and word n-grams as 64-bit polynomial hashes, built from ONNX nodes alone.

A window of characters a b c is (a R + b) R + c mod 2^64, so each order costs one multiplication and one addition per
character; a word, whose length varies, is a difference of prefix sums times a power of R's inverse (R is odd, so it
has one). With 64 bits the chance that any two of a million n-grams collide is 3e-8: a table of hashes is as exact as a
table of strings, and keeps strings out of the graph.
"""

from __future__ import annotations

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.modalities.text.characters import MAX_LENGTH

BLANK = 32
# Odd numbers without a pattern: the digits of the golden ratio and of pi.
_R = np.array(0x9E3779B97F4A7C15, np.uint64).astype(np.int64)
_S = np.array(0x243F6A8885A308D3, np.uint64).astype(np.int64)
# Scripts that write words: digits, a-z, Latin to Georgian and beyond, Hangul. Anything else that is not a blank
# (punctuation, Chinese, Japanese, emoji) is a word of one character.
_WORD_RANGES = ((48, 57), (97, 122), (0xAA, 0x1FFF), (0xAC00, 0xD7A3))


def character_ngrams(codes: Var, longest: int) -> Var:
    """Return int64 hashes `[rows, longest * (width + 2)]` of all windows of 1 to `longest` characters, 0 for none.

    `codes`: int32 `[rows, width]`, 0 after the end. Every text gets a blank before and after it, so that a word at
    its edge makes the same n-grams as one in its middle.
    """
    return op.concat(_grown(_framed(codes), longest, _R), axis=1)


def word_ngrams(codes: Var, longest: int) -> Var:
    """Return int64 hashes `[rows, longest * most words]` of all runs of 1 to `longest` words, 0 for none."""
    framed = _framed(codes)
    starts, ends = _word_edges(framed)
    return op.concat(_grown(_words(framed, starts, ends), longest, _S), axis=1)


def _framed(codes: Var) -> Var:
    """Return int64 codes with a blank before and after each text, `[rows, width + 2]`."""
    wide = op.pad(op.cast(codes, to=np.int64), _integers([0, 1, 0, 1]))
    length = op.reduce_sum(op.cast(op.greater(wide, _integers(0)), to=np.int64), _integers([1]), keepdims=1)
    position = _positions(wide)
    is_edge = op.or_(op.equal(position, _integers(0)), op.equal(position, op.add(length, _integers(1))))
    return op.where(is_edge, _integers(BLANK), wide)


def _grown(items: Var, longest: int, factor: np.ndarray) -> list[Var]:
    """Return the hashes of windows of 1, 2, ... `longest` items, each like `items` `[rows, n]`; 0 is no item."""
    width = op.slice(op.shape(items), _integers([1]), _integers([2]))
    padded = op.pad(items, _integers([0, 0, 0, longest - 1]))
    windows = [items]
    hashes = items
    for offset in range(1, longest):
        start = _integers([offset])
        following = op.slice(padded, start, op.add(width, start), _integers([1]))
        hashes = op.add(op.mul(hashes, op.const(factor)), following)
        windows.append(op.where(op.equal(following, _integers(0)), _integers(0), hashes))
    return windows


def _word_edges(framed: Var) -> tuple[Var, Var]:
    """Return two bool arrays like `framed`: where a word begins, and where it ends."""
    is_letter = _either(
        [
            op.and_(op.greater_or_equal(framed, _integers(low)), op.less_or_equal(framed, _integers(high)))
            for low, high in _WORD_RANGES
        ]
    )
    is_word = op.greater(framed, _integers(BLANK))
    inner = op.and_(_shifted(is_letter, 1), is_letter)
    return op.and_(is_word, op.not_(inner)), op.and_(is_word, op.not_(_shifted(inner, -1)))


def _either(conditions: list[Var]) -> Var:
    found = conditions[0]
    for condition in conditions[1:]:
        found = op.or_(found, condition)
    return found


def _shifted(flags: Var, places: int) -> Var:
    """Return bool `flags` `[rows, n]` moved right (or left, where negative), False moving in."""
    pads = [0, places, 0, -places]
    return op.cast(op.pad(op.cast(flags, to=np.int64), _integers(pads)), to=np.bool_)


def _words(framed: Var, starts: Var, ends: Var) -> Var:
    """Return the hashes of the words of each row in order, int64 `[rows, most words]`, 0 after the last."""
    powers, inverses = _powers(MAX_LENGTH + 2)
    span = _integers([0]), op.slice(op.shape(framed), _integers([1]), _integers([2])), _integers([0])
    terms = op.mul(framed, op.slice(op.const(powers), *span))
    sums = op.cum_sum(terms, op.const(np.int64(1)))
    # The k-th start and the k-th end in reading order belong to the same word.
    first, last = op.transpose(op.non_zero(starts)), op.transpose(op.non_zero(ends))
    column = op.gather(first, _integers(1), axis=1)
    difference = op.sub(op.gather_nd(sums, last), op.gather_nd(op.sub(sums, terms), first))
    hashes = op.mul(difference, op.gather(op.const(inverses), column))
    counts = op.reduce_sum(op.cast(starts, to=np.int64), _integers([1]), keepdims=0)
    return _laid_out(hashes, op.gather(first, _integers(0), axis=1), counts)


def _laid_out(values: Var, rows: Var, counts: Var) -> Var:
    """Return `[rows, largest count]` with each row's `values` (sorted by row) from the left, then zeros."""
    before = op.cum_sum(counts, op.const(np.int64(0)), exclusive=1)
    total = op.shape(rows)
    rank = op.range(op.const(np.int64(0)), op.squeeze(total), op.const(np.int64(1)))
    column = op.sub(rank, op.gather(before, rows))
    widest = op.reduce_max(op.concat([counts, _integers([1])], axis=0), _integers([0]), keepdims=1)
    empty = op.constant_of_shape(op.concat([op.shape(counts), widest], axis=0), value=np.array([0], np.int64))
    places = op.concat([op.unsqueeze(rows, _integers([1])), op.unsqueeze(column, _integers([1]))], axis=1)
    return op.scatter_nd(empty, places, values)


def _powers(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return R^0, R^1, ... and the inverses of these, int64 `[count]` mod 2^64."""
    inverse = pow(int(_R) % 2**64, -1, 2**64)
    return tuple(  # type: ignore[return-value]
        np.array([pow(base, k, 2**64) for k in range(count)], np.uint64).astype(np.int64)
        for base in (int(_R) % 2**64, inverse)
    )


def _positions(like: Var) -> Var:
    """Return 0, 1, ... along the columns of `like`, int64 `[width]`."""
    width = op.squeeze(op.slice(op.shape(like), _integers([1]), _integers([2])))
    return op.range(op.const(np.int64(0)), width, op.const(np.int64(1)))


def _integers(value: object) -> Var:
    return op.const(np.asarray(value, dtype=np.int64))
