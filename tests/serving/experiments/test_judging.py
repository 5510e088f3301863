import numpy as np
import pytest

from headway.serving.experiments.judging import DAY, Units, judge
from headway.serving.experiments.plan import Arm, Experiment

PLAN = Experiment("e", "m", (Arm("old", "m"), Arm("new", "n")), started=0.0)


def make_units(old, new, *, base=None):
    at = np.concatenate([np.linspace(0, 20 * DAY, len(each), endpoint=False) for each in (old, new)])
    order = np.argsort(at, kind="stable")
    arm = np.repeat([0, 1], [len(old), len(new)])
    bases = np.full(len(at), np.nan)
    if base is not None:
        bases[len(old) :] = base
    return Units(at[order], arm[order], np.concatenate([old, new])[order].astype(float), bases[order])


def test_a_true_lift_is_found_and_dated():
    random = np.random.default_rng(0)
    judgement = judge(PLAN, make_units(random.random(3000) < 0.7, random.random(3000) < 0.8), now=20 * DAY)
    assert judgement.better == "new"
    new = judgement.arms[1]
    assert new.finding.interval[0] > 0
    assert 0 < new.decided < 20 * DAY
    assert new.decided % DAY == 0
    assert judgement.share_p > 0.05
    assert all(low < difference < high for _, difference, low, high in new.path)


def test_the_control_wins_where_all_others_lose():
    random = np.random.default_rng(0)
    judgement = judge(PLAN, make_units(random.random(3000) < 0.8, random.random(3000) < 0.7), now=20 * DAY)
    assert judgement.better == "old"


def test_nothing_is_decided_on_equal_arms_and_on_none():
    random = np.random.default_rng(1)
    assert judge(PLAN, make_units(random.random(2000) < 0.7, random.random(2000) < 0.7), now=20 * DAY).better is None
    empty = judge(PLAN, make_units(np.zeros(0), np.zeros(0)), now=20 * DAY)
    assert empty.better is None
    assert empty.arms[1].units == 0


def test_broken_randomisation_is_told():
    random = np.random.default_rng(0)
    judgement = judge(PLAN, make_units(random.random(3000) < 0.7, random.random(2000) < 0.7), now=20 * DAY)
    assert judgement.share_p < 0.001


def test_a_shadow_is_compared_on_the_same_requests():
    random = np.random.default_rng(0)
    plan = Experiment("e", "m", (Arm("old", "m"), Arm("dark", "n", shadow=True)), started=0.0)
    old = (random.random(1500) < 0.7).astype(float)
    dark = np.where(random.random(1500) < 0.1, 1.0, old)
    judgement = judge(plan, make_units(old, dark, base=old), now=20 * DAY)
    assert judgement.better == "dark"
    apart = judge(PLAN, make_units(old, dark), now=20 * DAY).arms[1].finding
    paired = judgement.arms[1].finding
    assert np.ptp(paired.interval) < np.ptp(apart.interval) / 1.5


def test_alpha_is_shared_by_the_arms():
    plan = Experiment("e", "m", (Arm("a", "m"), Arm("b", "n"), Arm("c", "o")), started=0.0)
    assert judge(plan, make_units(np.zeros(0), np.zeros(0)), now=DAY).alpha == pytest.approx(0.025)
