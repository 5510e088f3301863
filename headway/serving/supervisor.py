"""The parent process: holds the port, starts workers, starts them again, and swaps packages in all of them at once.

It imports nothing heavy, so that it is small and there at once. Requests that wait to be accepted wait in its socket: a
worker that dies takes only those with it that it was answering.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from headway.errors import RunError
from headway.serving import rates, telemetry
from headway.serving.leavings import PREFIX, hold, remove_leavings
from headway.serving.settings import Package, Post, Settings
from headway.serving.shared_memory import WORKERS, make_board_file
from headway.serving.telling import Teller

_BACKLOG = 2048
# A worker that lived shorter than this is started again more slowly each time, up to the longest pause (seconds).
_SHORT, _LONGEST_PAUSE = 5.0, 10.0
_DEPLOY_SECONDS = 280.0
_EXTRA = 5.0


@dataclass(eq=False)
class _Hand:
    """One worker as its supervisor sees it."""

    index: int
    process: subprocess.Popen[bytes]
    line: socket.socket
    began: float
    heard: bytes = b""
    is_up: bool = False


@dataclass(eq=False)
class _Deploy:
    """A swap under way: who asked, which workers are still expected, which have opened it, and what they found."""

    id: int
    wish: Mapping[str, Any]
    asker: _Hand
    deadline: float
    waiting: set[int] = field(default_factory=set)
    opened: set[int] = field(default_factory=set)
    found: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    # The parts of the error, for the client that asked.
    problem: Mapping[str, str] = field(default_factory=dict)
    is_switching: bool = False
    replaced: set[str] = field(default_factory=set)


class Supervisor:
    """Runs the service until it is told to stop."""

    def __init__(self, settings: Settings, *, on_event: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Take the settings; `on_event` hears of `start`, `plan`, `restart`, `deploy` and `stop` with their facts.

        It is called in a thread of its own.
        """
        self.settings, self._teller = settings, Teller(on_event)
        self._packages = list(settings.packages)
        self._hands: dict[int, _Hand] = {}
        self._selector = selectors.DefaultSelector()
        self._threads = settings.threads if settings.workers else 0
        self._wanted = 0  # not known before the first worker has measured
        self._due: dict[int, float] = {}
        self._pauses: dict[int, float] = {}
        self._deploys: list[_Deploy] = []
        self._count = 0
        self._told_at: float | None = None  # to stop
        self._stopping: float | None = None
        self._failure: str | None = None
        self._unanswered = self._ended = 0
        self._board = make_board_file(WORKERS, telemetry.SIZE)
        self._telemetry = telemetry.Telemetry.open(self._board, workers=WORKERS, index=0)
        self._rates = make_board_file(WORKERS, rates.SIZE)
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX)
        self._holding = [hold(path) for path in (self._board, self._rates, Path(self._folder.name))]

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; raises `RunError` where the port is taken or no worker can start."""
        self._listener = bind(self.settings.host, self.settings.port)
        self._listen_for_signals()
        for place in {self._board.parent, Path(self._folder.name).parent}:
            remove_leavings(place)
        try:
            self._start(0)
            while self._hands or (self._stopping is None and self._failure is None):
                self._turn()
        finally:
            for hand in self._hands.values():
                hand.process.kill()
                hand.process.wait()
            self._listener.close()
            for path in (self._board, self._rates):
                path.unlink(missing_ok=True)
            self._folder.cleanup()
            for handle in self._holding:
                os.close(handle)
        if self._failure is not None:
            raise RunError("the service could not start", got=self._failure)
        seconds = 0.0 if self._told_at is None else time.monotonic() - self._told_at
        self._teller.tell("stop", {"unanswered": self._unanswered, "ended": self._ended, "seconds": seconds})
        self._teller.close()

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return int(self._listener.getsockname()[1])

    def _turn(self) -> None:
        """Wait for something to happen, and deal with it."""
        for key, _ in self._selector.select(timeout=0.1):
            key.data()
        for hand in list(self._hands.values()):
            if hand.process.poll() is not None:
                self._bury(hand)
        now = time.monotonic()
        for index, moment in list(self._due.items()):
            if now >= moment and self._stopping is None and self._failure is None:
                del self._due[index]
                self._start(index)
        if self._deploys and now > self._deploys[0].deadline:
            self._end_deploy(f"the workers did not open the package within {_DEPLOY_SECONDS:g} s")
        if self._stopping is not None and now > self._stopping:
            for hand in self._hands.values():
                hand.process.kill()

    def _start(self, index: int) -> None:
        """Start the worker with this place."""
        ours, theirs = socket.socketpair()
        post = Post(index, WORKERS, self._threads, str(self._board), str(self._rates), self._folder.name,
                    self._listener.fileno(), theirs.fileno())  # fmt: skip
        process = subprocess.Popen(  # noqa: S603 - our own module, in this very Python
            [sys.executable, "-m", "headway.serving.worker", json.dumps(asdict(post))],
            pass_fds=(self._listener.fileno(), theirs.fileno()),
            env=_environment(self._folder.name),
            # Ctrl-C reaches a whole group; what a worker starts itself (vLLM) must not end before it has drained.
            process_group=0,
        )
        theirs.close()
        hand = _Hand(index, process, ours, time.monotonic())
        self._hands[index] = hand
        _send(hand, replace(self.settings, packages=tuple(self._packages)).to_json())
        ours.settimeout(0)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(hand))
        if self._deploys and not self._deploys[0].is_switching:  # or it would stay with what it was started with
            self._let_open(hand)

    def _hear(self, hand: _Hand) -> None:
        """Take what a worker says."""
        try:
            said = hand.line.recv(65536)
        except (BlockingIOError, ConnectionResetError):
            return
        if not said:
            self._selector.unregister(hand.line)
            hand.line.close()
            return
        *lines, hand.heard = (hand.heard + said).split(b"\n")
        for line in lines:
            self._take(hand, json.loads(line))

    def _take(self, hand: _Hand, words: Mapping[str, Any]) -> None:
        if words.get("ask") == "deploy":
            self._count += 1
            self._deploys.append(_Deploy(self._count, words, hand, time.monotonic() + _DEPLOY_SECONDS))
            if len(self._deploys) == 1:
                self._begin_deploy()
        elif words["did"] == "start":
            self._up(hand)
        elif words["did"] == "plan":
            self._follow(words["plan"])
        elif words["did"] == "drain":
            self._unanswered += words["unanswered"]
        elif words["did"] == "fail":
            if not hand.is_up and not any(other.is_up for other in self._hands.values()):
                self._failure = str(words["words"])
        elif self._deploys and words["id"] == self._deploys[0].id:
            self._go_on(hand, words)

    def _up(self, hand: _Hand) -> None:
        """Note that a worker answers; where nothing is to be measured, the others follow the first one at once."""
        is_first = not any(other.is_up for other in self._hands.values()) and not self._wanted
        hand.is_up = True
        if is_first:
            self._teller.tell("start", {"port": self.port, "seconds": time.monotonic() - hand.began})
        if self._threads and not self._wanted:
            self._add_workers(self.settings.workers)

    def _follow(self, plan: Mapping[str, Any]) -> None:
        """Start as many workers as the first one found best, unless that was known by then."""
        if self._wanted:
            return
        self._threads = plan["threads"]
        self._teller.tell("plan", plan)
        self._add_workers(plan["workers"])

    def _add_workers(self, wanted: int) -> None:
        self._wanted = min(max(1, wanted), WORKERS)
        for index in range(1, self._wanted):
            self._start(index)

    def _bury(self, hand: _Hand) -> None:
        """Clean up after a worker that ended; unless the service stops, another takes its place."""
        del self._hands[hand.index]
        self._hear_last(hand)
        if self._deploys:
            self._deploys[0].waiting.discard(hand.index)
            self._deploys[0].opened.discard(hand.index)
            self._check_deploy()
        if self._stopping is not None and hand.process.returncode:  # it told nothing of what it was answering
            self._ended += 1
            self._unanswered += self._telemetry.of_worker("in_flight", hand.index)
        if self._stopping is not None or self._failure is not None:
            return
        lived = time.monotonic() - hand.began
        pause = min(_LONGEST_PAUSE, 2 * self._pauses.get(hand.index, 0.25)) if lived < _SHORT else 0.0
        self._pauses[hand.index] = pause
        self._due[hand.index] = time.monotonic() + pause
        self._teller.tell("restart", {"worker": hand.index, "code": hand.process.returncode})

    def _hear_last(self, hand: _Hand) -> None:
        with suppress(OSError, ValueError):
            self._hear(hand)
        with suppress(OSError, ValueError, KeyError):
            self._selector.unregister(hand.line)
            hand.line.close()

    def _begin_deploy(self) -> None:
        """Let every worker open the package beside the running one, also those that are still starting."""
        self._deploys[0].deadline = time.monotonic() + _DEPLOY_SECONDS
        for hand in self._hands.values():
            self._let_open(hand)

    def _let_open(self, hand: _Hand) -> None:
        """Let one worker open the package of the swap under way, as soon as it is ready."""
        deploy = self._deploys[0]
        deploy.waiting.add(hand.index)
        wish = {key: deploy.wish.get(key) for key in ("path", "name", "force")}
        _send(hand, json.dumps({"do": "load", "id": deploy.id, **wish}))

    def _go_on(self, hand: _Hand, words: Mapping[str, Any]) -> None:
        deploy = self._deploys[0]
        deploy.waiting.discard(hand.index)
        if "error" in words:
            deploy.error = deploy.error or str(words["error"])
            deploy.problem = deploy.problem or words.get("problem", {})
        elif "found" in words:
            deploy.found = words["found"]
            deploy.opened.add(hand.index)
        self._check_deploy()

    def _check_deploy(self) -> None:
        """Go on with the swap once no worker is waited for: all switch, or none."""
        deploy = self._deploys[0]
        if deploy.waiting:
            return
        if deploy.error or not deploy.found:
            self._end_deploy(deploy.error or "no worker was there to open the package")
        elif deploy.is_switching:
            self._end_deploy(None)
        else:
            deploy.is_switching = True
            before = {package.path for package in self._packages}
            self._packages = _exchanged(self._packages, Package(str(deploy.found["name"]), str(deploy.wish["path"])))
            deploy.replaced = before - {package.path for package in self._packages}
            deploy.waiting = set(deploy.opened)
            for index in deploy.opened:
                _send(self._hands[index], json.dumps({"do": "switch", "id": deploy.id}))

    def _end_deploy(self, error: str | None) -> None:
        deploy = self._deploys.pop(0)
        answer: dict[str, Any] = {"do": "deployed", "token": deploy.wish["token"], "found": deploy.found,
                                  "problem": deploy.problem}  # fmt: skip
        if deploy.is_switching:
            self._remove(deploy.replaced)  # every worker has opened another: none reads these again
        else:
            self._remove({str(deploy.wish["path"])})
        if error is not None:
            answer["error"] = error
            for hand in self._hands.values():
                _send(hand, json.dumps({"do": "forget", "id": deploy.id}))
        _send(deploy.asker, json.dumps(answer))
        self._teller.tell("deploy", {**deploy.found, "error": error})
        if self._deploys:
            self._begin_deploy()

    def _remove(self, paths: set[str]) -> None:
        """Remove those of the packages that came over the wire."""
        for path in map(Path, paths):
            if path.parent == Path(self._folder.name):
                path.unlink(missing_ok=True)

    def _listen_for_signals(self) -> None:
        """Turn signals into something the selector sees."""
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda _number, _frame: None)

        def take() -> None:
            if set(os.read(read, 4096)) & {signal.SIGTERM, signal.SIGINT}:
                self._drain()

        self._selector.register(read, selectors.EVENT_READ, take)

    def _drain(self) -> None:
        """Tell every worker to finish; told a second time, end them."""
        again = self._stopping is not None
        self._told_at = self._told_at or time.monotonic()
        self._listener.close()  # the last worker that closes it, having taken what came, ends it
        self._stopping = time.monotonic() + (0 if again else self.settings.limits.drain_seconds + _EXTRA)
        for hand in self._hands.values():
            _send(hand, json.dumps({"do": "drain"}))


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises `RunError` where the port cannot be had."""
    fix = "choose another --port, or 0 for any free one"
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise RunError(f"{host} is no address of this machine", got=str(error)) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise RunError(f"port {port} of {host} cannot be used", got=str(error), fix=fix) from error
    return listener


def _exchanged(packages: list[Package], new: Package) -> list[Package]:
    """Return the packages with the one of the same name replaced, or with a new one at the end."""
    from headway.serving.naming import name_of

    names = [package.name or name_of(package.path) for package in packages]
    if new.name not in names:
        return [*packages, new]
    return [new if name == new.name else package for name, package in zip(names, packages, strict=True)]


def _environment(folder: str) -> dict[str, str]:
    """Return the environment of a worker: our own source first, one thread for numpy's own linear algebra.

    What the workers learn together lies in `folder`, which ends with the service.
    """
    import headway

    source = str(Path(headway.__file__).parents[1])
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
    single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**single, "HEADWAY_LEDGER": str(Path(folder) / "ledger"), **os.environ, "PYTHONPATH": path}


def _send(hand: _Hand, line: str) -> None:
    """Send a line to a worker; one that is gone is found out elsewhere."""
    with suppress(OSError):
        hand.line.settimeout(1.0)
        hand.line.sendall(line.encode() + b"\n")
        hand.line.settimeout(0)
