import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from headway.errors import HeadwayError
from headway.serving.experiments.keeping import find_experiment, start_experiment
from headway.serving.experiments.plan import Arm, Experiment
from headway.serving.learning.assembling import learn
from headway.serving.observing import Feedback
from headway.serving.store.opening import open_store
from headway.serving.store.reading import read_stored
from headway.serving.store.recorder import Recorder


@dataclass(frozen=True)
class Settings:
    packages: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWAY_LEDGER", str(tmp_path / "ledger"))


def show(observer):
    registry = CollectorRegistry()
    registry.register(observer.collector)
    return generate_latest(registry).decode()


def test_one_call_gives_a_server_all_of_it(tmp_path, served, failed):
    url = f"sqlite:///{tmp_path}/store.db"
    observer, router = learn(Settings(options={"store": url}))
    for number in range(20):
        observer.served(served(number).event)
    observer.failed(failed(1).event)
    assert observer.told(Feedback("r1", 0, "好评", "reviews"))
    assert observer.drain(10)
    text = show(observer)
    assert 'headway_learn_taken_total{lane="store"} 22.0' in text
    assert 'headway_learn_lost_total{lane="store",reason="overflow"} 0.0' in text
    assert router.pick("reviews", "ann", "r").key == "reviews"
    observer.close()
    stored = read_stored(open_store(url))
    assert (stored.predictions, stored.feedback) == (21, 1)


def test_a_bad_arm_is_stopped_for_all_servers(tmp_path, served):
    url = f"sqlite:///{tmp_path}/store.db"
    store = open_store(url)
    start_experiment(store, Experiment("e", "reviews", (Arm("old", "reviews"), Arm("new", "candidate"))))
    observer, router = learn(Settings(options={"store": url, "drift": False}))
    for number in range(600):
        arm = router.pick("reviews", f"user {number}", f"r{number}").arm
        seconds = (0.05 if arm == "e/new" else 0.01) * (1 + number % 7 / 10)
        observer.served(served(number, arm=arm, seconds=seconds).event)
    assert observer.drain(10)
    assert {router.pick("reviews", f"user {number}", "r").key for number in range(50)} == {"reviews"}
    deadline = time.monotonic() + 5
    while not find_experiment(store, "e").ended_arms:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert 'headway_experiment_arm_ended{arm="new",experiment="e"} 1.0' in show(observer)
    observer.close()


def test_what_is_too_old_goes_at_the_start(tmp_path, served):
    url = f"sqlite:///{tmp_path}/store.db"
    store = open_store(url)
    Recorder(store)([served(1, at=time.time() - 3 * 86_400), served(2)])
    observer, _ = learn(Settings(options={"store": url, "keep_days": 2}))
    deadline = time.monotonic() + 10
    while read_stored(store).predictions > 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    observer.close()


def test_without_a_store_nothing_is_kept_and_feedback_says_so(served):
    observer, _ = learn(Settings())
    observer.served(served(1).event)
    assert not observer.told(Feedback("r1", 0, "好评", "reviews"))
    observer.close()


def test_a_database_that_is_away_costs_no_request_and_is_counted(served, caplog):
    observer, _ = learn(Settings(options={"store": "sqlite:////nowhere/at/all/x.db"}))
    for number in range(10):
        observer.served(served(number).event)
    deadline = time.monotonic() + 5
    while 'headway_learn_down{lane="store"} 1.0' not in show(observer):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not observer.told(Feedback("r1", 0, "好评", "reviews"))
    began = time.monotonic()
    observer.close()
    assert time.monotonic() - began < 12
    assert "takes no predictions now" in caplog.text
    assert 'headway_learn_lost_total{lane="store",reason="failed"} 10.0' in show(observer)


@pytest.mark.parametrize(
    "options", [{"stor": "x"}, {"window": 5}, {"false_alarms": 2}, {"store": "nosql"}, {"webhook": "file:///x"}]
)
def test_senseless_options_are_refused_at_the_start(options):
    with pytest.raises(HeadwayError):
        learn(Settings(options=options))
