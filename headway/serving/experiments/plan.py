"""What an experiment is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from headway.errors import ExperimentError

Outcome = Literal["accuracy", "value", "error"]


@dataclass(frozen=True)
class Arm:
    """One package of an experiment: `weight` is its share of the users; a shadow answers too, but to nobody.

    `package` is the key under which the server has it.
    """

    name: str
    package: str
    weight: float = 1.0
    shadow: bool = False


@dataclass(frozen=True)
class Guardrails:
    """What an arm must not do to its users; crossing one by more than chance explains stops the arm.

    `errors`: how much larger its share of failed requests may be than the control's (0.01: one point).
    `slower`: how many times the control's typical latency (geometric mean) it may take.
    `latency_p95_ms`: the latency that at most 5% of its requests may exceed; None: no such bound.
    """

    errors: float = 0.01
    slower: float = 1.5
    latency_p95_ms: float | None = None


@dataclass(frozen=True)
class Experiment:
    """Several packages behind one model's name; the first arm is the control.

    `outcome`: "accuracy" (feedback names the true label), "value" (feedback says what the answer was worth, more is
    better), or "error" (feedback gives the true number; what counts is minus the absolute error, so more is better).
    `effect` is the smallest difference worth finding, where the test is made sharpest; None: a fifth of the standard
    deviation. `alpha` is the false-alarm rate over all looks and arms together. A user counts once, by the mean over
    the first `window` seconds after the first request. `started` and `stopped`: seconds since 1970 UTC.
    `ended_arms`: the arms that were stopped, and why.
    """

    name: str
    model: str
    arms: tuple[Arm, ...]
    outcome: Outcome = "accuracy"
    effect: float | None = None
    alpha: float = 0.05
    window: float = 86_400.0
    guardrails: Guardrails = Guardrails()
    started: float = 0.0
    stopped: float | None = None
    ended_arms: Mapping[str, str] = field(default_factory=dict)

    @property
    def control(self) -> Arm:
        """Return the arm that the others are compared with."""
        return self.arms[0]

    @property
    def running(self) -> bool:
        """Tell whether it still divides the traffic."""
        return self.stopped is None

    def arm(self, name: str) -> Arm:
        """Return the arm called `name`."""
        return next(arm for arm in self.arms if arm.name == name)


def check_experiment(experiment: Experiment) -> None:
    """Raise `ExperimentError` for a plan that cannot be carried out, with all that is wrong in it."""
    names = [arm.name for arm in experiment.arms]
    live = [arm for arm in experiment.arms if not arm.shadow]
    wrong = [
        text
        for text, found in (
            ("an experiment needs two arms or more", len(names) < 2),
            ("two arms have the same name", len(set(names)) != len(names)),
            ("names of arms cannot be empty or hold a slash", any(not name or "/" in name for name in names)),
            ("only one arm can be a shadow", sum(arm.shadow for arm in experiment.arms) > 1),
            ("the first arm is the control and cannot be a shadow", bool(names) and experiment.arms[0].shadow),
            (
                "nobody acts on a shadow's answers, so they have no value",
                experiment.outcome == "value" and len(live) < len(names),
            ),
            ("weights must be positive numbers", any(not 0 < arm.weight < 1e9 for arm in live)),
            ("alpha must lie between 0 and 0.5", not 0 < experiment.alpha < 0.5),
            ("the effect must be a positive number", experiment.effect is not None and not experiment.effect > 0),
            ("the window cannot be negative", experiment.window < 0),
            ("slower must be more than 1", not experiment.guardrails.slower > 1),
            ("errors must lie between 0 and 1", not 0 < experiment.guardrails.errors < 1),
        )
        if found
    ]
    if wrong:
        raise ExperimentError(
            "the experiment cannot be held",
            where=experiment.name,
            got="; ".join(wrong),
            fix="name two arms or more: --arm control=old:90 --arm new=new:10"
            if len(names) < 2
            else "put this right and start it again",
        )
