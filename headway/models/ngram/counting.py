"""An n-gram model: interpolated, modified Kneser-Ney (Chen and Goodman 1999, section 3), counted with sorted arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LONGEST = 8
# A level with more n-grams than this is not counted: it would hold the whole text, most of it once.
MOST_NGRAMS = 20_000_000


@dataclass(frozen=True)
class Level:
    """All n-grams of one length.

    `keys` `[k]` int64, sorted: node of the first n - 1 tokens (by its place in the level below) times the vocabulary,
    plus the last token; `counts` `[k]`: how often it occurs (on the highest level), or after how many different tokens;
    `starts` `[nodes below + 1]`: where the n-grams that begin with a node lie; `totals` and `left` `[nodes below]`: the
    sum of their counts, and the probability that smoothing takes from them for shorter contexts; `discounts`: what is
    taken from counts 0, 1, 2, and 3 or more.
    """

    keys: np.ndarray
    counts: np.ndarray
    starts: np.ndarray
    totals: np.ndarray
    left: np.ndarray
    discounts: np.ndarray


@dataclass(frozen=True)
class Counts:
    """An n-gram model over `vocabulary` tokens; `levels[n - 1]` holds the n-grams.

    `occurrences[n - 1]` `[k]`: how often each n-gram occurs, which is what counts on the highest level.
    """

    vocabulary: int
    levels: tuple[Level, ...]
    occurrences: tuple[np.ndarray, ...]

    def shortened(self, longest: int) -> Counts:
        """Return the model of n-grams up to `longest`."""
        if longest >= len(self.levels):
            return self
        top, below = self.levels[longest - 1], len(self.levels[longest - 2].keys) if longest > 1 else 1
        level = _level(top.keys, self.occurrences[longest - 1], below, self.vocabulary)
        return Counts(self.vocabulary, (*self.levels[: longest - 1], level), self.occurrences[:longest])

    def losses(self, ids: np.ndarray) -> np.ndarray:
        """Return float64 `[n]`: the negative log probability of each token given those before it, in nats."""
        chances = np.full(len(ids), 1.0 / self.vocabulary)
        node, known = np.zeros(len(ids), np.int64), np.ones(len(ids), np.bool_)
        for level in self.levels:
            # `node` is now that of the n - 1 tokens before each token.
            chances = self._raised(level, node, known, ids, chances)
            node, known = self._longer(level, node, known, ids)
        return np.asarray(-np.log(chances))

    def _raised(
        self, level: Level, node: np.ndarray, known: np.ndarray, ids: np.ndarray, chances: np.ndarray
    ) -> np.ndarray:
        """Return the probabilities with a context that is one token longer, where it is known."""
        safe = np.where(known, node, 0)
        total = level.totals[safe]
        counts = _count(level, safe * self.vocabulary + ids)
        own = np.maximum(counts - level.discounts[np.minimum(counts, 3)], 0.0) / np.maximum(total, 1)
        better = own + level.left[safe] * chances
        return np.where(known & (total > 0), better, chances)

    def _longer(
        self, level: Level, node: np.ndarray, known: np.ndarray, ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return, for each place, the node of this level's n-gram that ends just before it."""
        place, found = _find(level.keys, np.where(known, node, 0) * self.vocabulary + ids)
        found &= known
        return np.concatenate([[0], place[:-1]]), np.concatenate([[False], found[:-1]])

    def distribution(self, context: np.ndarray) -> np.ndarray:
        """Return float64 `[vocabulary]`: the probability of each token after `context`."""
        chances = np.full(self.vocabulary, 1.0 / self.vocabulary)
        for length, level in enumerate(self.levels):
            node = self._node(context[len(context) - length :]) if length <= len(context) else None
            if node is None or level.totals[node] == 0:
                break
            here = slice(level.starts[node], level.starts[node + 1])
            counts = level.counts[here]
            chances = level.left[node] * chances
            own = np.maximum(counts - level.discounts[np.minimum(counts, 3)], 0.0) / level.totals[node]
            chances[level.keys[here] - node * self.vocabulary] += own
        return np.asarray(chances / chances.sum())

    def _node(self, context: np.ndarray) -> int | None:
        """Return the place of a context among the n-grams of its length, None where it was never seen."""
        node = 0
        for level, token in zip(self.levels, context.tolist(), strict=False):
            key = node * self.vocabulary + token
            place = int(np.searchsorted(level.keys, key))
            if place == len(level.keys) or level.keys[place] != key:
                return None
            node = place
        return node


def count(ids: np.ndarray, vocabulary: int, *, longest: int = LONGEST) -> Counts:
    """Return the model of a text of token ids, `[n]`."""
    keys: list[np.ndarray] = []
    counts: list[np.ndarray] = []
    occurrences: list[np.ndarray] = []
    node = np.zeros(len(ids), np.int64)
    for length in range(1, longest + 1):
        # The n-gram that ends at a place: the node of the shorter one that ends one place before, and the token.
        before = np.concatenate([[0], node[:-1]]) if length > 1 else node
        whole = np.arange(len(ids)) >= length - 1
        unique, first, inverse = np.unique((before * vocabulary + ids)[whole], return_index=True, return_inverse=True)
        if len(unique) == 0 or (length > 1 and len(unique) > MOST_NGRAMS):
            break
        if counts:
            # A shorter n-gram counts by how many different tokens it follows.
            shorter = node[whole][first]
            counts[-1] = np.maximum(np.bincount(shorter, minlength=len(keys[-1])), 1)
        node = np.zeros(len(ids), np.int64)
        node[whole] = inverse
        keys.append(unique)
        counts.append(np.bincount(inverse, minlength=len(unique)))
        occurrences.append(counts[-1])
    below = [1, *(len(each) for each in keys[:-1])]
    levels = (_level(*each, vocabulary) for each in zip(keys, counts, below, strict=True))
    return Counts(vocabulary, tuple(levels), tuple(occurrences))


def _level(keys: np.ndarray, counts: np.ndarray, below: int, vocabulary: int) -> Level:
    discounts = _discounts(counts)
    context = keys // vocabulary
    totals = np.bincount(context, counts, below)
    taken = np.bincount(context, discounts[np.minimum(counts, 3)], below)
    left = np.divide(taken, totals, out=np.ones(below), where=totals > 0)
    starts = np.searchsorted(keys, np.arange(below + 1) * vocabulary)
    return Level(keys, counts, starts, totals, left, discounts)


def _discounts(counts: np.ndarray) -> np.ndarray:
    """Return what is taken from counts 0 to 3 and above, from how many n-grams have counts 1 to 4 (equation 26)."""
    n1, n2, n3, n4 = (float(np.sum(counts == times)) for times in range(1, 5))
    if min(n1, n2, n3) == 0:
        return np.array([0.0, 0.5, 0.75, 0.9])
    y = n1 / (n1 + 2 * n2)
    wanted = (0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return np.clip(wanted, [0.0, 0.1, 0.1, 0.1], [0.0, 0.95, 1.9, 2.9])


def _find(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of `wanted` in sorted `keys`, and whether they are there."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted


def _count(level: Level, wanted: np.ndarray) -> np.ndarray:
    place, found = _find(level.keys, wanted)
    return np.where(found, level.counts[place], 0)
