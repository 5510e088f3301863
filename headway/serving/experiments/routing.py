"""Pick the package for a request: the same user always gets the same one."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from headway.serving.experiments.fitting import Misfit, find_misfits
from headway.serving.experiments.plan import Arm, Experiment
from headway.serving.experiments.wording import tell_misfit
from headway.serving.observing import Choice, Opened

_log = logging.getLogger("headway.serving")


@dataclass
class Router:
    """The running experiments of one server process by model name, an `observing.Router`; reading it needs no lock.

    `packages` are those that the process serves; an arm that cannot stand in for its model gets no traffic, and neither
    does a shadow: `misfits` by experiment and arm.
    """

    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    packages: Mapping[str, Opened] = field(default_factory=dict)
    misfits: Mapping[tuple[str, str], Misfit] = field(default_factory=dict)

    def update(self, experiments: Iterable[Experiment]) -> None:
        """Take over what the store says now; an arm that was ended here stays ended.

        Of several experiments on one model the oldest one runs.
        """
        known = {experiment.name: experiment for experiment in self.experiments.values()}
        fresh: dict[str, Experiment] = {}
        for experiment in sorted(experiments, key=lambda each: each.started):
            if not experiment.running or experiment.model in fresh:
                continue
            old = known.get(experiment.name)
            same = old is not None and old.started == experiment.started
            ended = {**(old.ended_arms if same and old else {}), **experiment.ended_arms}
            fresh[experiment.model] = replace(experiment, ended_arms=ended)
        self.experiments = fresh
        self._fit()

    def opened(self, event: Opened) -> None:
        """Take note of a package that is served from now on."""
        self.packages = {**self.packages, event.name: event}
        self._fit()

    def end_arm(self, experiment: str, arm: str, reason: str) -> None:
        """Give an arm no more traffic; its users go to the control."""
        self.experiments = {
            model: replace(each, ended_arms={**each.ended_arms, arm: reason}) if each.name == experiment else each
            for model, each in self.experiments.items()
        }

    def pick(self, name: str, user: str | None, request_id: str) -> Choice:
        """Return the package for a request: by the user's id, or by the request's own where no user is named."""
        experiment = self.experiments.get(name)
        if experiment is None:
            return Choice(name)
        arm = pick_arm(experiment, request_id if user is None else user)
        shadows = [each.package for each in experiment.arms if each.shadow and each.name not in experiment.ended_arms
                   and (experiment.name, each.name) not in self.misfits]  # fmt: skip
        if (experiment.name, arm.name) in self.misfits:
            return Choice(name, shadows=tuple(shadows))
        return Choice(arm.package, arm=f"{experiment.name}/{arm.name}", shadows=tuple(shadows))

    def _fit(self) -> None:
        """Find the arms that do not fit now; each is told once in the log."""
        experiments = list(self.experiments.values())
        misfits = {
            (each.name, wrong.arm.name): wrong for each in experiments for wrong in find_misfits(each, self.packages)
        }
        for (experiment, arm), wrong in misfits.items():
            if (experiment, arm) not in self.misfits:
                _log.warning("%s: arm %s gets no traffic: %s", experiment, arm, tell_misfit(wrong, "en"))
        self.misfits = misfits


def pick_arm(experiment: Experiment, unit: str) -> Arm:
    """Return the arm of a user: a hash of the experiment and the id, so that nothing has to be remembered.

    Another experiment divides the same users anew. When an arm is ended its users go to the control and all others
    stay where they are.
    """
    live = [arm for arm in experiment.arms if not arm.shadow]
    point = place(f"{experiment.name}\0{experiment.started!r}\0{unit}") * sum(arm.weight for arm in live)
    for arm in live:
        point -= arm.weight
        if point < 0:
            return experiment.control if arm.name in experiment.ended_arms else arm
    return experiment.control


def place(text: str) -> float:
    """Return a number in [0, 1) that is always the same for the same text and even over many."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53
