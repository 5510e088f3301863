"""A PostgreSQL of the tests' own, stores in both databases, and events of a server."""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from headway.serving.learning import Noted
from headway.serving.observing import Failed, Feedback, Served
from headway.serving.store.opening import open_store


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server of the tests' own, on a socket in a folder of its own."""

    folder: Path
    binaries: Path
    user: str | None

    @property
    def url(self):
        name = self.user or pwd.getpwuid(os.getuid()).pw_name
        return f"postgresql://{name}@/postgres?host={self.folder}"

    def call(self, program, *arguments):
        subprocess.run(
            [self.binaries / program, *arguments],
            check=True, user=self.user, timeout=180, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self):
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self.call("pg_ctl", "-D", self.folder / "data", "-w", "-o", options, "start")

    def stop(self):
        self.call("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")


@cache
def start_cluster():
    """Start PostgreSQL once for all tests, as an unprivileged user; None where the machine has none."""
    found = shutil.which("pg_ctl")
    places = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        return None
    user = "nobody" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="headway-pg-"))
    if user:
        shutil.chown(folder, user)
    cluster = Cluster(folder, places[-1], user)
    cluster.call("initdb", "-D", folder / "data", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
    cluster.start()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(cluster.stop)
    return cluster


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
