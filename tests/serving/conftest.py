import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from headway.serving.deployments import Registry, deploy_model
from headway.serving.limits import Limits
from headway.serving.observing import Silent
from headway.serving.service import Service
from tests.serving.packages import open_tiny, write_tiny

ROOT = Path(__file__).parents[2]
PREDICT = "/v1/predict"


def make_service(*names, limits=None, **settings):
    """A service in this process with the named tiny models."""
    limits = limits or Limits()
    service = Service(Registry(), limits=limits, **settings)
    for name in names or ("numbers",):
        service.put(deploy_model(open_tiny(name), name=None, limits=limits))
    return service


class Notes(Silent):
    """An observer that keeps what it hears."""

    def __init__(self):
        self.events = []

    def served(self, event):
        self.events.append(event)

    def failed(self, event):
        self.events.append(event)


class Asker:
    """Asks a service in this process."""

    def __init__(self, service):
        self.service = service

    def __call__(self, method, path, **request):
        async def ask():
            transport = httpx.ASGITransport(app=self.service, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **request)

        return asyncio.run(ask())

    def predict(self, rows, **more):
        return self("POST", PREDICT, json={"rows": rows, **more})


@pytest.fixture
def ask():
    return Asker(make_service("numbers"))


@pytest.fixture(scope="session")
def tiny_package(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("served") / "package")


class Running:
    """`headway serve` in a process of its own, on a free port; `largest`: no file that it writes may become larger."""

    def __init__(self, *arguments, environment=None, largest=None):
        command = [] if largest is None else ["prlimit", f"--fsize={largest}"]
        command += [sys.executable, "-m", "headway.cli", "serve", "--engine", "onnx"]
        command += [*map(str, arguments), "--port", "0"]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HEADWAY_LANG": "en", **(environment or {})},
        )  # fmt: skip
        self.said = ""
        self.hear("serving at")
        self.url = re.search(r"https?://\S+", self.said)[0]
        self.port = int(self.url.rpartition(":")[2])

    def hear(self, words):
        """Wait until the service has said so."""
        deadline = time.monotonic() + 60
        while words not in self.said:
            line = self.process.stderr.readline()
            self.said += line
            if not line or time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(f"the service did not say {words!r}: {self.said}")

    def workers(self):
        """The pids of the workers, once all that were planned are there."""
        import psutil

        return sorted(child.pid for child in psutil.Process(self.process.pid).children())

    def wait_for_workers(self, count):
        deadline = time.monotonic() + 60
        text = f"headway_workers {count}.0"
        while time.monotonic() < deadline:
            if text in httpx.get(f"{self.url}/metrics").text and len(self.workers()) == count:
                return
            time.sleep(0.05)
        raise RuntimeError(f"there are not {count} workers")

    def stop(self):
        """End it as an operator does; return its exit code and the rest of what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.said += self.process.communicate(timeout=40)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.said += self.process.communicate()[1]
        return self.process.returncode


@pytest.fixture
def running():
    """Start services; all are ended with the test."""
    started = []

    def start(*arguments, **more):
        started.append(Running(*arguments, **more))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 2 MB; where none may be mounted, a folder and how large a file may become in it."""
    disk, size = tmp_path / "disk", 2 * 2**20
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    is_mounted = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0
    yield disk, None if is_mounted else size
    if is_mounted:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def read_log(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)
