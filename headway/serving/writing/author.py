"""The thread that writes all texts of one package, and how requests hear from it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from headway.runtime.generation.answering import Answer, TextEngine
from headway.runtime.generation.wishes import Piece, Wish
from headway.serving.batching import Wait
from headway.serving.refusals import RefusalError, too_busy, too_late

# How often a request looks whether its client is still there, in seconds.
_LOOK = 0.25
# How long an answer takes, for telling a client when to come back, before any was measured.
_FIRST_GUESS = 2.0


@dataclass(eq=False)
class Order:
    """An answer that is wanted: where its pieces go, and until when it may wait for its turn."""

    answer: Answer
    author: Author
    wait: Wait
    deadline: float
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    heard: asyncio.Queue[Piece | Exception] = field(default_factory=asyncio.Queue)
    has_begun: bool = False
    is_dropped: bool = False

    async def pieces(self) -> AsyncIterator[Piece]:
        """Yield the pieces, the last one with a `finish`; where the iteration ends before, the answer is dropped.

        Raises what went wrong instead: `RefusalError` (504) for an answer that did not begin in time, and
        `CancelledError` where the client is gone.
        """
        try:
            while True:
                words = await self._next()
                if isinstance(words, Exception):
                    raise words
                yield words
                if words.finish is not None:
                    return
        finally:
            self.drop()

    def drop(self) -> None:
        """Let the author forget the order; nothing happens to one that is done."""
        self.author.forget(self)

    async def _next(self) -> Piece | Exception:
        """Return what is heard next; look for the client while nothing comes."""
        while True:
            if self.wait.is_gone():
                raise asyncio.CancelledError
            with suppress(TimeoutError):
                return await asyncio.wait_for(self.heard.get(), _LOOK)

    def tell(self, words: Piece | Exception) -> None:
        """Hand a piece over to the request's event loop; one that has ended waits for nothing."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.heard.put_nowait, words)


class Author:
    """Writes the texts of one package; they join and leave while it writes. Its thread ends with `retire`."""

    def __init__(self, engine: TextEngine, *, queue: int) -> None:
        """Begin with nothing to do; at most `queue` answers wait for their turn."""
        self._engine, self._queue = engine, queue
        self._orders: dict[int, Order] = {}
        self._arrived: deque[Order] = deque()
        self._dropped: deque[Order] = deque()
        self._wake = threading.Condition()
        self._is_retired = False
        self._seconds = _FIRST_GUESS
        self._thread = threading.Thread(target=self._work, name="author", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Return how many answers have not begun."""
        return sum(not (order.has_begun or order.is_dropped) for order in list(self._orders.values()))

    def order(self, prompt: list[int], wish: Wish, wait: Wait) -> Order:
        """Take an order; to be called in an event loop, which then iterates over its pieces.

        Raises `InputError` for a prompt longer than the window, and `RefusalError`: 429 for a full queue, 503 where the
        package is being exchanged.
        """
        answer = self._engine.begin(prompt, wish)
        if self.waiting >= self._queue:
            raise too_busy(self._seconds * self.waiting / self._engine.most)
        order = Order(answer, self, wait, time.monotonic() + wait.seconds)
        with self._wake:
            if self._is_retired:
                raise RefusalError(503, "exchanged", "this package is being exchanged", next="ask again")
            self._orders[id(answer)] = order
            self._arrived.append(order)
            self._wake.notify()
        return order

    def forget(self, order: Order) -> None:
        """Take an order out of the batch, wherever it is."""
        order.is_dropped = True
        with self._wake:
            self._dropped.append(order)
            self._wake.notify()

    def retire(self) -> None:
        """Take no more orders; the thread ends once those that were taken are done."""
        with self._wake:
            self._is_retired = True
            self._wake.notify()

    def end(self, seconds: float) -> None:
        """Retire, and wait at most `seconds` for the thread to end, so that its engine gives back what it holds."""
        self.retire()
        self._thread.join(seconds)

    def _work(self) -> None:
        """Write until retired and done."""
        while self._turn():
            try:
                written = self._engine.step()
            except Exception as error:  # noqa: BLE001 - it is raised again to each waiting request
                self._fail(error)
                continue
            for answer, piece in written:
                order = self._orders.get(id(answer))
                if order is not None:
                    order.has_begun = True
                    order.tell(piece)
        self._engine.close()

    def _turn(self) -> bool:
        """Take what came and went; wait while there is nothing to do. False once the work is over."""
        with self._wake:
            while not (self._arrived or self._dropped) and self._engine.is_idle:
                if self._is_retired:
                    return False
                self._wake.wait()
            arrived, dropped = list(self._arrived), list(self._dropped)
            self._arrived.clear()
            self._dropped.clear()
        for order in arrived:
            self._engine.add(order.answer)
        for order in dropped:
            self._engine.drop(order.answer)
            if self._orders.pop(id(order.answer), None) is not None and order.answer.finish in {"stop", "length"}:
                took = time.monotonic() - (order.deadline - order.wait.seconds)
                self._seconds += 0.1 * (took - self._seconds)
        self._refuse_late()
        return True

    def _refuse_late(self) -> None:
        """Refuse what has waited for its turn too long."""
        now = time.monotonic()
        for answer in [each for each in self._engine.waiting if now > self._orders[id(each)].deadline]:
            order = self._orders[id(answer)]
            self._engine.drop(answer)
            order.tell(too_late(order.wait.seconds))

    def _fail(self, error: Exception) -> None:
        """Tell all that are under way of an error, and begin anew."""
        for order in list(self._orders.values()):
            self._engine.drop(order.answer)
            order.tell(error)
