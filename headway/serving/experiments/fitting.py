"""Whether an arm can stand in for the model whose traffic it gets: clients must notice nothing but other answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from headway.serving.experiments.plan import Arm, Experiment


class Package(Protocol):
    """What is known of a served package; the columns it `reads` are empty where its server is too old to say."""

    @property
    def task(self) -> str:
        """Return what it does: "classify", "regress" or "several"."""

    @property
    def reads(self) -> Collection[str]:
        """Return the columns that it wants of each row."""

    @property
    def labels(self) -> Collection[str]:
        """Return what it may answer."""


@dataclass(frozen=True)
class Misfit:
    """Why an arm cannot stand in: another `task`, or `names` of columns or labels that the model does not have.

    `known` are those that it has, of a task the model's own.
    """

    arm: Arm
    what: Literal["task", "columns", "labels"]
    names: tuple[str, ...]
    known: tuple[str, ...]


def find_misfits(experiment: Experiment, served: Mapping[str, Package]) -> list[Misfit]:
    """Return what is wrong with the arms, shadows too; of packages that are not served nothing is known."""
    own = served.get(experiment.model)
    if own is None or not own.reads:
        return []
    known = [(arm, served[arm.package]) for arm in experiment.arms if arm.package in served]
    return [wrong for arm, other in known if other.reads for wrong in _compare(arm, own, other)]


def listed(names: Sequence[str], most: int = 10) -> str:
    """Return names in quotes, the first few of many."""
    more = f", ... ({len(names)})" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more


def _compare(arm: Arm, own: Package, other: Package) -> Iterator[Misfit]:
    if other.task != own.task:
        yield Misfit(arm, "task", (other.task,), (own.task,))
        return
    more = tuple(name for name in other.reads if name not in own.reads)
    if more:
        yield Misfit(arm, "columns", more, tuple(own.reads))
    others = tuple(label for label in other.labels if label not in own.labels)
    if others:
        yield Misfit(arm, "labels", others, tuple(own.labels))
