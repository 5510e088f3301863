"""Which base models a run may lean on: the one that is named, or one that lies on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from headway.bases.base import Base, BaseKind
from headway.bases.opening import open_base

AUTO, NONE = "auto", "none"
KIND_WORDS: Mapping[BaseKind, str] = {
    "text_encoder": "a text encoder",
    "image_encoder": "an image encoder",
    "decoder": "a decoder",
}


@dataclass(frozen=True)
class Found:
    """The base models at hand, one of a kind; why the other kinds are absent; and what a user should know."""

    bases: Mapping[BaseKind, Base] = field(default_factory=dict)
    absent: Mapping[BaseKind, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def find_bases(wanted: str, kinds: AbstractSet[BaseKind], *, folder: Path) -> Found:
    """Find a base model of each of the `kinds`: the one `wanted` names, or with "auto" what lies on this machine.

    Relative paths start at `folder`. Nothing is opened where `kinds` is empty. Raises `BaseModelError` where a named
    base cannot be used.
    """
    if wanted == NONE:
        return Found(absent=dict.fromkeys(kinds, "needs a base model, and the project says base: none"))
    if wanted == AUTO:
        return Found(absent={kind: f"needs {KIND_WORDS[kind]}: none is on this machine" for kind in kinds})
    if not kinds:
        return Found(remarks=(f"no candidate needs the base {wanted}",))
    base = open_base(wanted, folder=folder)
    is_a = KIND_WORDS[base.kind]
    absent = {kind: f"needs {KIND_WORDS[kind]}; {wanted} is {is_a}" for kind in kinds if kind != base.kind}
    bases = {base.kind: base} if base.kind in kinds else {}
    return Found(bases, absent, base.notes)
