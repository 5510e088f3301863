"""Rows that try every feed of a package: its example, odd texts, gaps, and pictures of several sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from headway.runtime.manifest import InputColumn, Manifest

# Width, compatibility forms, case by position, marks, emoji, white space of other scripts, what no text should hold.
_TEXTS = (
    "",
    "　Ｆｕｌｌ　ｗｉｄｔｈ １２３ ﬁﬂ ℃ ㎏ ①",
    "ΣΑΣ İstanbul straße e\u0301a\u0300 naïve",
    "👍🏽👨‍👩‍👧 ok\u200b\ufeff\u2028line\x85nel\x1cfs\t\ttab",
    "房间很大,服务也好!价格560元的高级房 ｶﾞｷﾞ 한국어 עברית हिन्दी ไทย",
    "zero\x00byte don't [UNK] [SEP] <s>",
)
_NUMBERS = ("0", "-1,234.5", "1e300", "¥300", "１２.５", "NA")
_DATES = ("2024-02-29", "20240305", "2024年3月5日 14时30分", "1969-12-31T23:59:59.25+08:00", "0001-01-01", "")
_CATEGORIES = (" 1.0 ", "TRUE", "", "unseen 没见过", "a", "A")


def probe_rows(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the rows: the example first, then each input's odd cells side by side, then an empty row.

    Cells are what the Python runtime takes; pictures are uint8 arrays `[height, width, 3]`.
    """
    example = {column.name: _example(column, manifest) for column in manifest.inputs}
    inputs = list(_odd(manifest))
    odd = [{column.name: cells[turn % len(cells)] for column, cells in inputs} for turn in range(len(_TEXTS))]
    return [example, *odd, dict.fromkeys(column.name for column in manifest.inputs)]


def _odd(manifest: Manifest) -> Iterator[tuple[InputColumn, tuple[Any, ...]]]:
    """Yield each input with its odd cells."""
    for column in manifest.inputs:
        if column.modality == "image":
            yield column, tuple(_picture(seed, manifest, column) for seed in range(3))
        else:
            plain = {"text": _TEXTS, "number": _NUMBERS, "date": _DATES}.get(column.modality, _CATEGORIES)
            yield column, (*column.categories[:3], *plain) if column.categories else plain


def _example(column: InputColumn, manifest: Manifest) -> Any:
    """Return the input's example, a picture where it has none."""
    if column.modality == "image":
        return _picture(9, manifest, column)
    return column.example


def _picture(seed: int, manifest: Manifest, column: InputColumn) -> np.ndarray:
    """Return soft blobs of colour, larger, smaller or as large as the feed wants them."""
    feed = next(feed for feed in manifest.feeds if feed.kind == "image" and column.name in feed.columns)
    scale = (1.0, 1.7, 0.6)[seed % 3]
    height, width = max(2, int(feed.height * scale)), max(2, int(feed.width * scale * 1.1))
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = [np.sin(generator.uniform(2, 9) * x + generator.uniform(2, 9) * y + channel) for channel in range(3)]
    noise = generator.normal(0, 12, (height, width, 3))
    return np.clip(127 + 110 * np.stack(waves, axis=2) + noise, 0, 255).astype(np.uint8)
