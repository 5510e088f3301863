import pytest

from headway.errors import ExperimentError
from headway.serving.experiments.plan import Arm, Experiment, Guardrails, check_experiment

GOOD = Experiment("e", "m", (Arm("a", "m"), Arm("b", "m2")))


def test_a_good_plan_passes():
    check_experiment(GOOD)
    assert GOOD.control.name == "a"
    assert GOOD.arm("b").package == "m2"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Experiment("e", "m", (Arm("a", "m"),)), "two arms or more"),
        (Experiment("e", "m", (Arm("a", "m"), Arm("a", "n"))), "same name"),
        (Experiment("e", "m", (Arm("a", "m", shadow=True), Arm("b", "n"))), "cannot be a shadow"),
        (Experiment("e", "m", (Arm("a", "m", 0.0), Arm("b", "n"))), "weights"),
        (Experiment("e", "m", (Arm("a", "m"), Arm("b/c", "n"))), "slash"),
        (Experiment("e", "m", (Arm("a", "m"), Arm("b", "n", shadow=True), Arm("c", "o", shadow=True))), "one arm"),
        (Experiment("e", "m", (Arm("a", "m"), Arm("b", "n", shadow=True)), outcome="value"), "no value"),
        (Experiment("e", "m", GOOD.arms, alpha=1.0), "alpha"),
        (Experiment("e", "m", GOOD.arms, effect=-1.0), "effect"),
        (Experiment("e", "m", GOOD.arms, guardrails=Guardrails(slower=0.5)), "slower"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan, words):
    with pytest.raises(ExperimentError, match=words):
        check_experiment(plan)
