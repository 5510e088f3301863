"""Find and mask personal data in one text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from headway.privacy.masking.kinds import Kind
from headway.privacy.masking.names import find_names
from headway.privacy.masking.patterns import DETECTORS, Detector
from headway.privacy.masking.places import find_addresses

_DIGIT = re.compile(r"\d")
_BLANKS = re.compile(r"[ -]")
# Full-width digits, letters and signs read like the others; the length stays the same.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B)} | {
    0xFF0B: 0x2B,
    0xFF0D: 0x2D,
    0xFF0E: 0x2E,
    0x3000: 0x20,
}


@dataclass(frozen=True)
class Found:
    """Personal data at `text[start:end]`."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class Masked:
    """A text with a word such as `[EMAIL]` in place of each `found` (whose places are those in the original)."""

    text: str
    found: tuple[Found, ...]


def mask(text: str) -> Masked:
    """Put the kind, in brackets and capitals, in place of all personal data that are found."""
    found = find(text)
    if not found:
        return Masked(text, ())
    parts, end = [], 0
    for each in found:
        parts += [text[end : each.start], f"[{each.kind.upper()}]"]
        end = each.end
    return Masked("".join([*parts, text[end:]]), found)


def find(text: str) -> tuple[Found, ...]:
    """Return personal data in the order of the text; where two overlap, the more certain kind stands."""
    text = text.translate(_NARROW)
    taken: list[Found] = []
    for found in _candidates(text):
        if found.start < found.end and all(found.end <= other.start or found.start >= other.end for other in taken):
            taken.append(found)
    return tuple(sorted(taken, key=lambda each: each.start))


def _candidates(text: str) -> Iterator[Found]:
    has_digit = _DIGIT.search(text) is not None
    for detector in DETECTORS:
        if not detector.needs or (has_digit if detector.needs == "0" else any(each in text for each in detector.needs)):
            yield from _matches(detector, text)
    if has_digit:
        for start, end in find_addresses(text):
            yield Found("address", start, end)
    for start, end in find_names(text):
        yield Found("name", start, end)


def _matches(detector: Detector, text: str) -> Iterator[Found]:
    for match in detector.pattern.finditer(text):
        group = 1 if detector.pattern.groups else 0
        value = match[group]
        plain = _BLANKS.sub("", value) if detector.bare else value
        if detector.check is None or detector.check(plain):
            yield Found(detector.kind, *match.span(group))
