import time

import pytest

from headway.errors import ExperimentError
from headway.serving.experiments.following import Follower
from headway.serving.experiments.keeping import (
    end_arm,
    find_experiment,
    read_experiments,
    start_experiment,
    stop_experiment,
)
from headway.serving.experiments.plan import Arm, Experiment, Guardrails
from headway.serving.experiments.routing import Router
from headway.serving.observing import Opened
from headway.serving.store.serving import read_serving

PLAN = Experiment(
    "评论", "reviews", (Arm("old", "reviews"), Arm("new", "candidate", 0.5)), effect=0.02,
    guardrails=Guardrails(latency_p95_ms=40.0),
)  # fmt: skip


def test_what_was_started_is_read_back(store):
    begun = start_experiment(store, PLAN)
    assert begun.started > 0
    assert read_experiments(store) == [begun]


def test_a_name_is_used_once_and_a_model_has_one_experiment(store):
    start_experiment(store, PLAN)
    with pytest.raises(ExperimentError, match="of this name"):
        start_experiment(store, PLAN)
    with pytest.raises(ExperimentError, match="runs on this model already"):
        start_experiment(store, Experiment("f", "reviews", PLAN.arms))
    stop_experiment(store, "评论")
    start_experiment(store, Experiment("f", "reviews", PLAN.arms))


def test_stopping_twice_keeps_the_first_time(store):
    start_experiment(store, PLAN)
    first = stop_experiment(store, "评论", at=50.0)
    assert stop_experiment(store, "评论", at=60.0).stopped == first.stopped == 50.0


def test_the_first_reason_of_an_end_stays(store):
    start_experiment(store, PLAN)
    end_arm(store, "评论", "new", "slow")
    end_arm(store, "评论", "new", "errors")
    assert find_experiment(store, "评论").ended_arms == {"new": "slow"}


def test_an_unknown_name_is_told_with_the_nearest(store):
    start_experiment(store, Experiment("checkout", "reviews", PLAN.arms))
    with pytest.raises(ExperimentError, match="did you mean checkout"):
        find_experiment(store, "chekout")


def test_servers_follow_the_store(store):
    router = Router()
    follower = Follower(store, router, every=0.02)
    follower.start()
    start_experiment(store, PLAN)
    assert follower.follow()
    assert "reviews" in router.experiments
    stop_experiment(store, "评论")
    follower.follow()
    assert router.experiments == {}
    follower.close()


def test_servers_say_in_the_store_what_they_answer_with(store):
    follower = Follower(store, Router(), every=0.02)
    follower.start()
    for name in ("reviews", "candidate"):
        follower.opened(Opened(name, "v1", "classify"))
    deadline = time.monotonic() + 10
    while set(read_serving(store)) != {"reviews", "candidate"}:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    follower.close()


def test_a_store_that_is_away_leaves_everything_as_it_was(tmp_path):
    from headway.serving.store.opening import connect, open_store

    store = open_store(f"sqlite:///{tmp_path}/store.db")
    start_experiment(store, PLAN)
    router = Router()
    assert Follower(store, router).follow()
    away = Follower(connect(f"sqlite:///{tmp_path}/gone/store.db"), router)
    assert not away.follow()
    assert "reviews" in router.experiments
