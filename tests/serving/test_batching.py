import asyncio
import threading
import time

import pytest

from headway.serving.batching import Batcher, Wait
from headway.serving.limits import Limits
from headway.serving.pace import Pace
from headway.serving.refusals import FieldProblem, RefusalError, wrong_input

FAST = Pace(1e-5, 1e-7, 10, has_text=True, has_image=False)
SLOW = Pace(0.05, 1e-5, 10, has_text=True, has_image=False)
PATIENT = Wait(10, bool)


class Recorder:
    """Answers a row by itself and keeps the sizes of the batches."""

    def __init__(self, seconds=0.0):
        self.batches, self.seconds = [], seconds
        self.threads = set()

    def __call__(self, batch):
        self.threads.add(threading.current_thread())
        time.sleep(self.seconds)
        self.batches.append([ticket.columns["x"] for ticket in batch])
        return [[{"prediction": cell} for cell in ticket.columns["x"]] for ticket in batch]


def ask(batcher, *cells, wait=PATIENT, **more):
    return batcher.answer({"x": list(cells)}, len(cells), items=10, wait=wait, **more)


def test_a_lone_request_does_not_wait_and_those_of_one_turn_go_together():
    recorder = Recorder()

    async def work():
        batcher = Batcher(recorder, pace=FAST, limits=Limits())
        assert await ask(batcher, 1) == [{"prediction": 1}]
        answers = await asyncio.gather(*(ask(batcher, i) for i in range(10)))
        assert answers == [[{"prediction": i}] for i in range(10)]

    asyncio.run(work())
    assert [len(batch) for batch in recorder.batches] == [1, 10]
    assert recorder.threads == {threading.main_thread()}


def test_a_slow_model_works_in_a_thread_while_the_next_batch_gathers():
    recorder = Recorder(0.05)

    async def work():
        batcher = Batcher(recorder, pace=SLOW, limits=Limits())
        first = asyncio.ensure_future(ask(batcher, 0))
        await asyncio.sleep(0.02)
        others = [asyncio.ensure_future(ask(batcher, i)) for i in range(1, 6)]
        await asyncio.gather(first, *others)

    asyncio.run(work())
    assert [len(batch) for batch in recorder.batches] == [1, 5]
    assert threading.main_thread() not in recorder.threads


def test_batches_are_bounded_by_rows_and_by_seconds():
    recorder = Recorder()

    async def work(limits, pace):
        batcher = Batcher(recorder, pace=pace, limits=limits)
        await asyncio.gather(*(ask(batcher, i) for i in range(10)))

    asyncio.run(work(Limits(batch_rows=4), FAST))
    assert [len(batch) for batch in recorder.batches] == [4, 4, 2]
    recorder.batches.clear()
    slow_items = Pace(1e-5, 0.001, 10, has_text=True, has_image=False)
    asyncio.run(work(Limits(batch_seconds=0.03), slow_items))
    assert max(len(batch) for batch in recorder.batches) == 2


def test_a_full_queue_refuses_and_empties_again():
    async def work():
        batcher = Batcher(Recorder(0.02), pace=SLOW, limits=Limits(queue_rows=3))
        running = [asyncio.ensure_future(ask(batcher, i)) for i in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(RefusalError) as full:
            await ask(batcher, 9)
        await asyncio.gather(*running)
        assert await ask(batcher, 9) == [{"prediction": 9}]
        assert batcher.is_idle
        assert batcher.waiting_rows == 0
        return full.value

    refusal = asyncio.run(work())
    assert refusal.status == 429
    assert int(refusal.headers["retry-after"]) >= 1


def test_a_request_whose_time_runs_out_in_the_queue_is_refused_while_the_model_is_busy():
    recorder = Recorder(0.4)

    async def work():
        batcher = Batcher(recorder, pace=SLOW, limits=Limits())
        busy = asyncio.ensure_future(ask(batcher, 0))
        await asyncio.sleep(0.01)
        began = time.monotonic()
        with pytest.raises(RefusalError) as late:
            await ask(batcher, 1, wait=Wait(0.05, bool))
        assert time.monotonic() - began < 0.35
        await busy
        return late.value

    assert asyncio.run(work()).status == 504
    assert recorder.batches == [[[0]]]


def test_a_request_whose_client_is_gone_is_never_computed():
    recorder = Recorder(0.05)

    async def work():
        batcher = Batcher(recorder, pace=SLOW, limits=Limits())
        busy = asyncio.ensure_future(ask(batcher, 0))
        await asyncio.sleep(0.01)
        gone = asyncio.ensure_future(ask(batcher, 1, wait=Wait(10, lambda: True)))
        cancelled = asyncio.ensure_future(ask(batcher, 2))
        await asyncio.sleep(0)
        cancelled.cancel()
        await busy
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(work())
    assert recorder.batches == [[[0]]]


def test_a_large_request_comes_in_parts_between_which_others_are_answered():
    recorder = Recorder(0.01)

    async def work():
        batcher = Batcher(recorder, pace=SLOW, limits=Limits(batch_rows=2))
        large = asyncio.ensure_future(ask(batcher, *range(8)))
        await asyncio.sleep(0.005)
        assert await ask(batcher, "small") == [{"prediction": "small"}]
        assert not large.done()
        return await large

    assert asyncio.run(work()) == [{"prediction": i} for i in range(8)]


def test_what_goes_wrong_in_the_model_reaches_each_request_and_the_next_batch_works():
    calls = []

    def compute(batch):
        calls.append(len(batch))
        if len(calls) == 1:
            raise MemoryError("too much")
        return [[{"prediction": 1}], wrong_input([FieldProblem(0, "x", "a", "b")])][: len(batch)]

    async def work():
        batcher = Batcher(compute, pace=FAST, limits=Limits())
        first = await asyncio.gather(ask(batcher, 1), ask(batcher, 2), return_exceptions=True)
        assert [type(each) for each in first] == [MemoryError, MemoryError]
        second = await asyncio.gather(ask(batcher, 1), ask(batcher, 2), return_exceptions=True)
        assert second[0] == [{"prediction": 1}]
        assert second[1].status == 422

    asyncio.run(work())
