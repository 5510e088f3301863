import time

import pytest

from headway.serving.experiments.keeping import read_experiments, start_experiment
from headway.serving.experiments.plan import Arm, Experiment
from headway.serving.experiments.routing import Router
from headway.serving.experiments.standing import Standings
from headway.serving.observing import Opened
from headway.serving.page.experimenting import experiments_panel
from headway.serving.store.opening import open_store
from headway.serving.store.recorder import Keeping, Recorder
from tests.serving.production import make_feedback, make_served

USERS = 400
HOUR = 3600.0


@pytest.fixture
def held(tmp_path):
    """An experiment of ten hours in which the new arm is right more often."""
    store, router = open_store(f"sqlite:///{tmp_path}/store.db"), Router()
    arms = (Arm("old", "reviews"), Arm("new", "candidate"))
    start_experiment(store, Experiment("e", "reviews", arms, window=0.0, started=time.time() - 10 * HOUR))
    recorder = Recorder(store, Keeping())
    events = []
    for number in range(USERS):
        at = time.time() - 9 * HOUR + number * HOUR / 60
        arm = ("old", "new")[number % 2]
        right = number % 5 > 0 if arm == "new" else number % 4 > 1
        events.append(make_served(number, at=at, arm=f"e/{arm}"))
        events.append(make_feedback(number, "好评" if right else "差评", at=at))
    recorder(events)
    router.update(read_experiments(store))
    return Standings(store, router)


def test_running_experiments_are_judged_and_shown(held):
    (standing,) = held.refresh()
    old, new = standing.judgement.arms
    assert old.units + new.units == USERS
    assert new.finding.difference > 0.1
    assert len(new.path) > 20
    text = experiments_panel(held.latest)("zh")
    assert "实验 · e" in text
    assert 'class="band"' in text
    assert "对照组" in text


def test_arms_that_get_no_traffic_are_told(held):
    held.router.opened(Opened("reviews", "v1", "classify", reads=("review",)))
    held.refresh()
    assert "do not serve candidate" in experiments_panel(held.latest)("en")
    held.router.opened(Opened("candidate", "v1", "classify", reads=("review", "stars")))
    held.refresh()
    english, chinese = (experiments_panel(held.latest)(lang) for lang in ("en", "zh"))
    assert "candidate reads columns that the clients of the model need not send: &#x27;stars&#x27;" in english
    assert "不计入实验" in chinese
    held.router.opened(Opened("candidate", "v2", "classify", reads=("review",)))
    held.refresh()
    assert "does not count" not in experiments_panel(held.latest)("en")


def test_asking_never_waits_and_what_was_known_stays_while_the_store_is_away(held, monkeypatch):
    assert held.latest() == ()
    deadline = time.monotonic() + 10
    while not held.latest():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    known = held.latest()
    monkeypatch.setattr("headway.serving.experiments.standing.read_outcomes", away)
    assert held.refresh() == known


def away(*args, **kwargs):
    from headway.errors import StoreError

    raise StoreError("the database is away")
