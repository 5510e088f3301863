"""Which wishes of `headway generate` are for text and which for pictures: none is left aside in silence."""

from __future__ import annotations

from collections.abc import Sequence

from headway.errors import InputError

_OF_TEXT = ("system", "chat", "max_tokens", "temperature", "top_p", "stop")
_OF_PICTURES = ("count", "label", "out")
_NAMES = {"chat": "--chat/--text"}


def check_writing(given: Sequence[str]) -> None:
    """Raise `InputError` for wishes (names of parameters) that a package that writes text cannot grant."""
    if not set(_OF_PICTURES).isdisjoint(given):
        raise InputError("this package writes text and draws no pictures", where=_name(_OF_PICTURES, given),
                         fix="leave it out; > FILE after the command keeps the text")  # fmt: skip


def check_drawing(given: Sequence[str], prompt: str | None) -> None:
    """Raise `InputError` for wishes that a package that draws pictures cannot grant."""
    if prompt is not None:
        raise InputError("this package draws pictures and reads no prompt", where="--prompt", got=prompt[:80],
                         fix="--label says what to draw")  # fmt: skip
    if not set(_OF_TEXT).isdisjoint(given):
        raise InputError("this package draws pictures and writes no text", where=_name(_OF_TEXT, given),
                         fix="leave it out; --label says what to draw, --count how many")  # fmt: skip


def _name(wishes: Sequence[str], given: Sequence[str]) -> str:
    """Return those wishes that are given as they stand on the command line."""
    return ", ".join(_NAMES.get(name, f"--{name.replace('_', '-')}") for name in wishes if name in given)
