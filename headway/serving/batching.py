"""Requests become batches as they come: no wait while the model is idle, whatever has come meanwhile when it is free.

The idea of Clipper's adaptive batching (Crankshaw et al. 2017, section 4.3) without its delay: requests that were read
in the same turn of the event loop go together, and while the model works the next batch gathers by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from headway.serving.limits import Limits
from headway.serving.pace import Pace
from headway.serving.refusals import FieldProblem, RefusalError, too_busy, too_late, wrong_input

Columns = Mapping[str, Sequence[Any]]
Answer = dict[str, Any]
# Answers for the rows of each ticket, or what is wrong with it.
Outcome = list[Answer] | Exception
# How often waiting requests are looked at whose time may have run out, in seconds.
_LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a request may wait, in seconds, and a function that tells whether its client has hung up."""

    seconds: float
    is_gone: Callable[[], bool]


@dataclass(eq=False, slots=True)
class Ticket:
    """Some rows of one request, waiting for their answers.

    `items` is the length of its longest row (see `Pace`), `deadline` a point on the monotonic clock.
    """

    columns: Columns
    rows: int
    items: int
    wait: Wait
    deadline: float
    future: asyncio.Future[list[Answer]]


class Batcher:
    """The queue in front of one model; belongs to one event loop. Its threads end when it is forgotten."""

    def __init__(
        self,
        compute: Callable[[list[Ticket]], list[Outcome]],
        *,
        pace: Pace,
        limits: Limits,
        lanes: int = 1,
        on_batch: Callable[[int, float], None] = lambda _rows, _seconds: None,
    ) -> None:
        """Queue for `compute`, which answers some tickets at once and may run in one of `lanes` threads.

        `on_batch` hears the rows and the seconds of each call of it.
        """
        self.waiting_rows = 0
        self._row_seconds = pace.of(1, pace.row_items)
        self._on_batch = on_batch
        self._compute, self._pace, self._limits = compute, pace, limits
        self._queue: deque[Ticket] = deque()
        self._idle_lanes = lanes
        self._scheduled = self._looking = False
        self._lanes = lanes
        self._pool: ThreadPoolExecutor | None = None

    async def answer(self, columns: Columns, rows: int, *, items: int, wait: Wait, force: bool = False) -> list[Answer]:
        """Return the answers for `rows` rows, each column a list of as many cells.

        A request of many rows is answered in parts that take turns with others. Raises `RefusalError`: 429 for a full
        queue (unless `force`), 504 past the deadline, 422 for cells that cannot be read; and `CancelledError` where the
        client went away.
        """
        if not force and self.waiting_rows + rows > max(self._limits.queue_rows, rows if not self._queue else 0):
            raise too_busy(self.seconds_of_queue())
        deadline, most = time.monotonic() + wait.seconds, self._limits.batch_rows

        def ticket(part: Columns, size: int) -> Ticket:
            return Ticket(part, size, items, wait, deadline, asyncio.get_running_loop().create_future())

        if rows <= most:
            return await self._enter(ticket(columns, rows))
        answers: list[Answer] = []
        problems: list[FieldProblem] = []
        for start in range(0, rows, most):
            part = {name: cells[start : start + most] for name, cells in columns.items()}
            size = min(most, rows - start)
            try:
                answers += await self._enter(ticket(part, size))
            except RefusalError as error:
                if error.status != 422:
                    raise
                problems += [_moved(problem, start) for problem in error.fields]
        if problems:
            raise wrong_input(problems)
        return answers

    def seconds_of_queue(self) -> float:
        """Return about how long the waiting rows will take."""
        return self.waiting_rows * self._row_seconds / self._lanes

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing waits and nothing is worked on."""
        return not self._queue and self._idle_lanes == self._lanes

    def _enter(self, ticket: Ticket) -> asyncio.Future[list[Answer]]:
        """Put one ticket into the queue."""
        loop = asyncio.get_running_loop()
        self._queue.append(ticket)
        self.waiting_rows += ticket.rows
        if self._idle_lanes and not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._work)
        elif not self._looking:
            self._looking = True
            loop.call_later(_LOOK, self._look)
        return ticket.future

    def _work(self) -> None:
        """Start batches on idle lanes; inline ones one at a time, so that the loop can read in between."""
        self._scheduled = False
        while self._queue and self._idle_lanes:
            batch = self._take()
            if not batch:
                continue
            if not self._pace.inline:
                self._hand_over(batch)
                continue
            start = time.perf_counter()
            self._finish(batch, self._computed(batch), time.perf_counter() - start)
            if self._queue:
                self._scheduled = True
                asyncio.get_running_loop().call_soon(self._work)
            return

    def _take(self) -> list[Ticket]:
        """Take the next tickets from the queue: as many as fit into a batch by rows and by time."""
        batch: list[Ticket] = []
        rows = longest = 0
        now = time.monotonic()
        while self._queue:
            ticket = self._queue[0]
            grown = max(longest, ticket.items)
            seconds = self._pace.of(rows + ticket.rows, grown)
            if batch and (rows + ticket.rows > self._limits.batch_rows or seconds > self._limits.batch_seconds):
                break
            self._queue.popleft()
            self.waiting_rows -= ticket.rows
            if self._is_wanted(ticket, now):
                batch.append(ticket)
                rows, longest = rows + ticket.rows, grown
        return batch

    def _is_wanted(self, ticket: Ticket, now: float) -> bool:
        """Tell whether somebody still waits for the ticket; one that is late is refused."""
        if ticket.future.done() or ticket.wait.is_gone():
            ticket.future.cancel()
            return False
        if now > ticket.deadline:
            ticket.future.set_exception(too_late(ticket.wait.seconds))
            return False
        return True

    def _hand_over(self, batch: list[Ticket]) -> None:
        """Run a batch in a thread."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._lanes, thread_name_prefix="model")
        loop, start = asyncio.get_running_loop(), time.perf_counter()
        self._idle_lanes -= 1

        def back(done: asyncio.Future[list[Outcome]]) -> None:
            self._idle_lanes += 1
            self._finish(batch, done.result(), time.perf_counter() - start)
            self._work()

        loop.run_in_executor(self._pool, self._computed, batch).add_done_callback(back)

    def _computed(self, batch: list[Ticket]) -> list[Outcome]:
        """Compute a batch; whatever goes wrong is the outcome of its tickets, never of the loop."""
        try:
            return self._compute(batch)
        except Exception as error:  # noqa: BLE001 - it is raised again to each waiting request
            return [error] * len(batch)

    def _finish(self, batch: list[Ticket], outcomes: list[Outcome], seconds: float) -> None:
        """Hand the outcomes to those who wait."""
        rows = sum(ticket.rows for ticket in batch)
        self._row_seconds += 0.1 * (seconds / rows - self._row_seconds)
        self._on_batch(rows, seconds)
        for ticket, outcome in zip(batch, outcomes, strict=True):
            if ticket.future.done():
                continue
            if isinstance(outcome, Exception):
                ticket.future.set_exception(outcome)
            else:
                ticket.future.set_result(outcome)

    def _look(self) -> None:
        """Refuse what waited too long, also while the model is busy."""
        now = time.monotonic()
        if any(now > ticket.deadline or ticket.future.done() for ticket in self._queue):
            kept = [ticket for ticket in self._queue if self._is_wanted(ticket, now)]
            self._queue = deque(kept)
            self.waiting_rows = sum(ticket.rows for ticket in kept)
        self._looking = bool(self._queue)
        if self._looking:
            asyncio.get_running_loop().call_later(_LOOK, self._look)


def _moved(problem: FieldProblem, start: int) -> FieldProblem:
    """Return a problem of a part, numbered in the whole request."""
    return replace(problem, row=None if problem.row is None else problem.row + start)
