"""Personal data found and missed, by kind, on the marked texts of the tests; how fast; and what is masked in vain.

The texts and the rules were written by the same hands: the figures say what the rules are meant to do, not how they do
on anybody else's texts. So the second table counts, by kind, what is masked in real reviews, where next to nothing
should be.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import polars as pl

from benchmarks.shared import HERE, find_data, print_table
from headway.privacy.masking import KINDS, find

_CASES = HERE.parent / "tests" / "privacy" / "masking" / "cases.txt"
_MARK = re.compile(r"⟦(\w+):([^⟧]*)⟧")
Span = tuple[str, int, int]


def main() -> str:
    """Return both tables."""
    return _marked() + _reviews()


def read_cases(path: Path = _CASES) -> list[tuple[str, list[Span]]]:
    """Return each marked text without its marks, and what they marked: kind, start, end."""
    cases = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, spans, end = "", [], 0
            for mark in _MARK.finditer(line):
                text += line[end : mark.start()]
                spans.append((mark[1], len(text), len(text) + len(mark[2])))
                text, end = text + mark[2], mark.end()
            cases.append((text + line[end:], spans))
    return cases


def score(cases: list[tuple[str, list[Span]]]) -> dict[str, tuple[int, int, int, int]]:
    """Return hits, misses, false finds and hits with exact bounds by kind.

    A hit covers at least four fifths of what was marked with any kind of mask; what it leaves readable is counted as
    missed. A find is false where it touches nothing marked.
    """
    counts = {kind: [0, 0, 0, 0] for kind in KINDS}
    for text, spans in cases:
        found = find(text)
        for kind, start, end in spans:
            covered = sum(max(0, min(end, each.end) - max(start, each.start)) for each in found)
            hit = covered >= 0.8 * (end - start)
            counts[kind][0 if hit else 1] += 1
            counts[kind][3] += any((each.kind, each.start, each.end) == (kind, start, end) for each in found)
        for each in found:
            counts[each.kind][2] += not any(start < each.end and each.start < end for _, start, end in spans)
    return {kind: (a, b, c, d) for kind, (a, b, c, d) in counts.items()}


def _marked() -> str:
    counts = score(read_cases())
    rows = [(kind, *_figures(*counts[kind])) for kind in KINDS]
    rows.append(("all", *_figures(*(sum(each[place] for each in counts.values()) for place in range(4)))))
    header = ("kind", "marked", "recall", "precision", "exact bounds")
    return print_table(f"{len(read_cases())} marked texts, Chinese and English", header, rows)


def _figures(hits: int, misses: int, false: int, exact: int) -> tuple[str, ...]:
    marked = hits + misses
    precision = f"{hits / (hits + false):.3f}" if hits + false else "-"
    return str(marked), f"{hits / max(1, marked):.3f}", precision, f"{exact / max(1, marked):.3f}"


def _reviews() -> str:
    sets = {
        "hotel reviews (Chinese)": pl.read_csv(find_data("zh_hotel_reviews") / "ChnSentiCorp_htl_all.csv")["review"],
        "bank questions (English)": pl.read_csv(find_data("en_banking77") / "test.csv")["text"],
    }
    rows = []
    for name, column in sets.items():
        texts = column.drop_nulls().to_list()
        began = time.perf_counter()
        found = [each.kind for text in texts for each in find(text)]
        rate = len(texts) / (time.perf_counter() - began)
        kinds = ", ".join(f"{kind} {count}" for kind, count in Counter(found).most_common())
        rows.append((name, f"{len(texts):,}", kinds or "none", f"{rate:,.0f}", f"{1e6 / rate:.0f}"))
    return print_table("Real texts", ("texts", "how many", "masked", "texts/s", "microseconds a text"), rows)
