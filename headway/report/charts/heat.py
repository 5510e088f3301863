"""Which label was taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headway.report.charts.canvas import FONT, Drawing, measure, rectangle, shorten, words
from headway.report.markup import Markup

# More labels than this make cells too small to read; the report then lists the worst pairs instead.
MOST_LABELS = 15


def draw_confusion(counts: np.ndarray, labels: Sequence[str], width: int, *, actual: str, predicted: str) -> Drawing:
    """Draw counts `[actual, predicted]` as a heat map; a row's colour is its share of the true label."""
    size = len(labels)
    longest = max(measure(label) for label in labels)
    left = min(width * 0.34, longest + 34)
    cell = min((width - left - 6) / size, 64.0)
    names = [shorten(label, left - 32) for label in labels]
    upright = longest > cell - 6
    top = 26 + (min(longest, 110.0) + 8 if upright else 20)
    parts: list[Markup] = [words(left + cell * size / 2, 14, predicted, "axis", anchor="middle")]
    parts.append(words(12, top + cell * size / 2, actual, "axis", anchor="middle", turn=-90))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for i in range(size):
        y = top + i * cell
        parts.append(words(left - 8, y + cell / 2 + 4, names[i], "tick", anchor="end", note=labels[i]))
        x = left + i * cell + cell / 2
        if upright:
            short = shorten(labels[i], 110)
            parts.append(words(x + 4, top - 8, short, "tick", turn=-90, note=labels[i]))
        else:
            parts.append(words(x, top - 8, labels[i], "tick", anchor="middle"))
        for j in range(size):
            parts += _draw_cell(left + j * cell, y, cell, int(counts[i, j]), float(shares[i, j]), right=i == j,
                                note=f"{labels[i]} → {labels[j]}: {counts[i, j]:,} ({shares[i, j]:.1%})")  # fmt: skip
    return Drawing(top + cell * size + 6, parts)


def find_worst_pairs(counts: np.ndarray, most: int = 15) -> list[tuple[int, int, int, float]]:
    """Return the commonest mistakes: (actual, predicted, rows, share of the actual label's rows), worst first."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    shares = wrong / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    order = np.lexsort((-shares.ravel(), -wrong.ravel()))[:most]
    cells = [divmod(int(cell), counts.shape[1]) for cell in order]
    return [(i, j, int(wrong[i, j]), float(shares[i, j])) for i, j in cells if wrong[i, j] > 0]


def _draw_cell(x: float, y: float, cell: float, count: int, share: float, *, right: bool, note: str) -> list[Markup]:
    kind = "heat right" if right else "heat wrong"
    # Mistakes are few; the root makes a few per cent visible.
    depth = 0.06 + 0.9 * (share if right else share**0.5) if count else 0.03
    parts = [rectangle(x + 0.5, y + 0.5, cell - 1, cell - 1, kind, note=note, opacity=depth)]
    text = f"{count:,}"
    if count and measure(text) < cell - 2:
        parts.append(words(x + cell / 2, y + cell / 2 + FONT / 3, text, "deep" if depth > 0.55 else "shallow",
                           anchor="middle"))  # fmt: skip
    return parts
