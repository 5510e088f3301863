import numpy as np
import pytest

from headway.serving.experiments.guarding import Guard
from headway.serving.experiments.keeping import find_experiment, start_experiment
from headway.serving.experiments.plan import Arm, Experiment, Guardrails
from headway.serving.experiments.routing import Router

PLAN = Experiment("e", "reviews", (Arm("old", "reviews"), Arm("new", "candidate")), started=1.0)


@pytest.fixture
def guarded():
    router, alarms = Router(), []
    router.update([PLAN])
    return router, alarms, Guard(router, alarms.append)


def feed(guard, served, rows, seconds, *, failing=None, failed=None):
    random = np.random.default_rng(0)
    for number in range(rows):
        batch = [
            served(number, arm=f"e/{arm}", seconds=mean * random.lognormal(0, 0.3)) for arm, mean in seconds.items()
        ]
        if failing and random.random() < failing[1]:
            batch.append(failed(number, arm=f"e/{failing[0]}"))
        guard(batch)


def test_equal_arms_go_on(guarded, served):
    router, alarms, guard = guarded
    feed(guard, served, 1500, {"old": 0.01, "new": 0.0105})
    assert not alarms
    assert not router.experiments["reviews"].ended_arms


def test_a_slow_arm_is_stopped_once(guarded, served):
    router, alarms, guard = guarded
    feed(guard, served, 400, {"old": 0.01, "new": 0.025})
    assert len(alarms) == 1
    assert "2.5 times as long" in alarms[0].message or "times as long" in alarms[0].message
    assert router.pick("reviews", "anybody", "r").key == "reviews"


def test_a_failing_arm_is_stopped(guarded, served, failed):
    router, alarms, guard = guarded
    feed(guard, served, 600, {"old": 0.01, "new": 0.01}, failing=("new", 0.3), failed=failed)
    assert "fail" in alarms[0].message
    assert "new" in router.experiments["reviews"].ended_arms


def test_a_failing_control_stops_nobody(guarded, served, failed):
    _, alarms, guard = guarded
    feed(guard, served, 600, {"old": 0.01, "new": 0.01}, failing=("old", 0.3), failed=failed)
    assert not alarms


def test_wrong_input_is_no_failure_of_the_arm(guarded, served, failed):
    _, alarms, guard = guarded
    guard([failed(number, status=422, arm="e/new") for number in range(500)])
    assert not alarms


@pytest.mark.parametrize(("status", "ends"), [(500, True), (422, True), (429, False)])
def test_a_shadow_that_fails_is_stopped(served, failed, status, ends):
    router, alarms = Router(), []
    router.update([Experiment("e", "reviews", (Arm("old", "reviews"), Arm("dark", "dark", shadow=True)), started=1.0)])
    guard = Guard(router, alarms.append)
    for number in range(200):
        guard([served(number, arm="e/old"), failed(number, status=status, arm="e/old", shadow=True)])
    assert ("dark" in router.experiments["reviews"].ended_arms) is ends
    assert bool(router.pick("reviews", "ann", "r").shadows) is not ends
    assert len(alarms) == ends


def test_an_absolute_bound_on_latency(served):
    router, alarms = Router(), []
    router.update([Experiment("e", "reviews", PLAN.arms, guardrails=Guardrails(latency_p95_ms=10.0), started=1.0)])
    guard = Guard(router, alarms.append)
    feed(guard, served, 300, {"new": 0.0075})  # a lognormal of which 17% are above
    assert "longer than 10 ms" in alarms[0].message


def test_the_store_learns_of_it_even_later(served, tmp_path):
    from headway.serving.store.opening import connect

    store = connect(f"sqlite:///{tmp_path}/later/store.db")
    router, alarms = Router(), []
    router.update([PLAN])
    guard = Guard(router, alarms.append, store)
    feed(guard, served, 400, {"old": 0.01, "new": 0.04})
    assert len(alarms) == 1
    (tmp_path / "later").mkdir()
    from headway.serving.store.opening import prepare

    prepare(store)
    start_experiment(store, PLAN)
    guard([])
    assert "new" in find_experiment(store, "e").ended_arms
