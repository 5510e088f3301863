"""Which ways of making a model smaller are worth a try, in the order of what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from headway.compression.distilling.students import distilled_variants
from headway.compression.pruning.variants import pruned_variants
from headway.compression.quantising.variants import quantised_variants
from headway.compression.subject import Subject
from headway.compression.verdict import Variant

Method = Literal["quantise", "prune", "distil"]
METHODS: tuple[Method, ...] = ("quantise", "prune", "distil")


def plan_variants(subject: Subject, *, methods: Sequence[Method], winner: str) -> tuple[Variant, ...]:
    """Return what the wanted methods offer for a model of the family `winner`, the cheapest to make first.

    What takes out layers, heads and channels together comes last, in the time that students leave.
    """
    found: tuple[Variant, ...] = ()
    if "quantise" in methods:
        found += quantised_variants(subject)
    if "prune" in methods:
        found += pruned_variants(subject)
    if "distil" in methods:
        found += distilled_variants(subject, winner=winner)
    if "prune" in methods:
        found += pruned_variants(subject, deepest=True)
    return found
