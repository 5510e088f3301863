"""A PostgreSQL of the tests' own, stores in both databases, and events of a server."""

import time

import pytest

from benchmarks.postgres import start_cluster
from headway.serving.learning import Noted
from headway.serving.observing import Failed, Feedback, Served
from headway.serving.store.opening import open_store


@pytest.fixture(scope="session")
def cluster():
    """A running PostgreSQL; skipped where the machine has none."""
    started = start_cluster()
    if started is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return started


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    """An empty store, once in each database."""
    if request.param == "sqlite":
        opened = open_store(f"sqlite:///{tmp_path}/store.db")
    else:
        opened = open_store(request.getfixturevalue("cluster").url)
        with opened.engine.begin() as connection:
            for table in ("predictions", "feedback", "experiments", "ended_arms", "alarms", "serving"):
                connection.exec_driver_sql(f"TRUNCATE headway_{table}")
    yield opened
    opened.close()


def make_served(number=0, *, text="很好", prediction="好评", at=None, **changes):
    keys = {
        "request_id": f"r{number}",
        "name": "reviews",
        "version": "v1",
        "rows": ({"review": text},),
        "answers": ({"prediction": prediction, "confidence": 0.9, "probabilities": {"好评": 0.9, "差评": 0.1}},),
        "seconds": 0.004,
    }
    return Noted(Served(**{**keys, **changes}), time.time() if at is None else at)


def make_failed(number=0, *, status=500, arm=None, at=None, shadow=False):
    event = Failed(f"f{number}", "reviews", "v1", status, "failed", 0.1, None, arm, shadow)
    return Noted(event, time.time() if at is None else at)


def make_feedback(number=0, truth="好评", *, at=None, **more):
    return Noted(Feedback(f"r{number}", 0, truth, "reviews", **more), time.time() if at is None else at)


@pytest.fixture
def served():
    return make_served


@pytest.fixture
def failed():
    return make_failed


@pytest.fixture
def told():
    return make_feedback
