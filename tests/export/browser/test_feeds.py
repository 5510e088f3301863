"""The page's feeds give the very numbers that the Python runtime's do."""

import dataclasses
import unicodedata

import numpy as np
import pytest

from headway.errors import InputError
from headway.runtime.decisions import decide
from headway.runtime.feeds import encode
from headway.runtime.feeds.characters import normalise
from headway.runtime.manifest import CategoryFeed, CharacterFeed, DateFeed, NumberFeed
from tests.export.browser.node import encode_js, needs_node, run_js
from tests.runtime.manifests import FULL

pytestmark = needs_node

NUMBERS = [
    "1", " 1.5 ", "-1,234.5", "1,23", "1,234,567.", "1_000", "1__0", "_1", "1e5", "1e400", "-1e400", "inf",
    "-Infinity", "nan", "NA", "n/a", "None", "?", "-", "", "¥300", "-¥300", "$ 1,200.50", "¥¥3", "€", "１２.５",
    "٣٤", "𝟙𝟚", "12%", "3.5万", "0x10", "1.2.3", "+.5", ".", "5.", "1e", "e5", "1 2", "\u30001\u3000", "\x1f7",
    "\ufeff7", True, False, None, 3, 2.5, 1e300,
]  # fmt: skip
DATES = [
    "2024-02-29", "2023-02-29", "2024/3/5", "2024.3.5", "20240305", "2024年3月5日", "2024年3月", "2024 - 3 - 5",
    "2024-3", "2024-03-05T10:00:00.25+08:00", "2024-03-05 23:59:60", "2024-03-05 24:00",
    "2024年3月5日14时30分5秒", "2024-03-05 14点", "1969-12-31T23:59:59Z", "0001-01-01", "0000-01-01",
    "9999-12-31", "5/3/2024", "2024-13-01", "2024-03-05 utc", "NaT", "na", "", None, 20240305, 2024, 20240305.5,
    True, "20240305T1430", "2024-03-05 10:00 -0530", "2024-03-05 10:00+24:00", "2024", "0050-06-07",
    "2024-03-05\u300014:30", "２０２４-03-05",
]  # fmt: skip
CATEGORIES = [
    " a ", "1.0", "-7.000", "1.50", "TRUE", "True", "tRUE", "", None, "\u3000北京\x1f", "１.0", "1.0\n", True,
    3, 2.5, 1e-7, 1e17,
]  # fmt: skip
TEXTS = [
    "", "Ａｂｃ　１２３", "ﬁ ﷺ ℃", "ΣΑΣ σ", "İ ı", "e\u0301\u0323", "ｶﾞ", "a\u200b\ufeffb",
    "\x85a\x1cb\x00c\ud800d\ufffe", "👨‍👩‍👧" * 9, " x \t\n y ", "한국어 각", None, 1, 1.5, True, "字" * 100,
    "ß", "Ǆ", "\u2028\u2029\u3000",
]  # fmt: skip


def answers(feed, cells):
    """Return what Python makes of each cell, "refused" where it raises."""
    found = []
    for cell in cells:
        try:
            found.append(encode(feed, {"c": [cell]}, files={})[feed.name][0])
        except InputError:
            found.append("refused")
    return found


@pytest.mark.parametrize(
    ("feed", "cells"),
    [
        (NumberFeed("f", ("c",)), NUMBERS),
        (DateFeed("f", ("c",)), DATES),
        (CategoryFeed("f", ("c",)), CATEGORIES),
        (CharacterFeed("f", ("c",), max_length=20), TEXTS),
        (CharacterFeed("f", ("c",), max_length=20, normalise=False), TEXTS),
    ],
    ids=["numbers", "dates", "categories", "characters", "raw characters"],
)
def test_every_cell_is_read_or_refused_alike(feed, cells):
    given = encode_js(dataclasses.asdict(feed), [{"c": cell} for cell in cells])
    for cell, ours, python in zip(cells, given, answers(feed, cells), strict=True):
        if isinstance(python, str):
            assert isinstance(ours, dict), cell
            assert ours["refused"] == "BadCellError"
            assert 'row 1, column "c"' in ours["message"]
        elif feed.kind == "category":
            assert ours == python.tolist(), cell
        else:
            np.testing.assert_array_equal(np.array(ours, dtype=python.dtype), python, err_msg=repr(cell))


def test_every_character_of_unicode_is_folded_alike():
    assigned = [c for c in range(1, 0x110000) if unicodedata.category(chr(c)) not in {"Cn", "Co", "Cs"}]
    expected = [normalise(f"a{chr(code)}b") for code in assigned]
    body = "return given.map(([code]) => normalise('a' + String.fromCodePoint(code) + 'b'));"
    assert run_js("normalise", "characters.js", body, [[code] for code in assigned]) == expected


@pytest.mark.parametrize("rule", ["most probable", "threshold", "costs"])
def test_decisions_are_the_same(rule):
    costs = ((0.0, 1.0), (5.0, 0.0)) if rule == "costs" else None
    threshold = ("good", 0.7) if rule == "threshold" else None
    manifest = dataclasses.replace(FULL, costs=costs, threshold=threshold)
    first = np.array([0.0, 0.3, 0.5, 0.6, 0.600001, 0.599999, 0.8333333, 1.0], dtype=np.float32)
    rows = np.stack([first, 1 - first], axis=1)
    given = {"rows": rows.tolist(), "manifest": {"costs": costs, "threshold": threshold, "labels": manifest.labels}}
    body = "return given.rows.map((row) => decide(row, given.manifest));"
    assert run_js("decide", "decisions.js", body, given) == decide(rows, manifest).tolist()
