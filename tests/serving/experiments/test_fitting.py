import pytest

from headway.serving.experiments.fitting import find_misfits
from headway.serving.experiments.plan import Arm, Experiment
from headway.serving.experiments.wording import tell_misfits
from headway.serving.observing import Opened

PLAN = Experiment("e", "reviews", (Arm("old", "reviews"), Arm("new", "candidate")))
OWN = Opened("reviews", "v", "classify", reads=("review", "city"), labels=("good", "bad"))


def find(**changes):
    other = Opened("candidate", "w", **{"task": "classify", "reads": ("review",), "labels": ("good",), **changes})
    return find_misfits(PLAN, {"reviews": OWN, "candidate": other})


def test_an_arm_that_reads_and_answers_less_fits():
    assert find() == []


@pytest.mark.parametrize(
    ("changes", "what", "names"),
    [
        ({"reads": ("review", "price", "stars")}, "columns", ("price", "stars")),
        ({"labels": ("good", "fair")}, "labels", ("fair",)),
        ({"task": "regress", "labels": ()}, "task", ("regress",)),
    ],
)
def test_one_that_wants_more_does_not(changes, what, names):
    (wrong,) = find(**changes)
    assert (wrong.arm.name, wrong.what, wrong.names) == ("new", what, names)
    for language in ("en", "zh"):
        told = tell_misfits([wrong], language)
        assert "candidate" in told
        assert repr(names[0]) in told


def test_of_packages_that_say_nothing_of_themselves_nothing_is_known():
    assert find(reads=()) == []
    assert find_misfits(PLAN, {"reviews": OWN}) == find_misfits(PLAN, {}) == []
    assert tell_misfits([], "en") == ""
