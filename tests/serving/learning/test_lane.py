import threading
import time

from headway.serving.learning import Lane, NotNowError


def test_everything_offered_is_taken_in_order(served):
    taken = []
    lane = Lane("test", lambda batch: taken.extend(each.event.request_id for each in batch))
    lane.start()
    assert all(lane.offer(served(number)) for number in range(1200))
    assert lane.close(5).taken == 1200
    assert taken == [f"r{number}" for number in range(1200)]


def test_a_slow_consumer_never_holds_up_the_request(served):
    going = threading.Event()
    lane = Lane("test", lambda _: going.wait(5), most_events=10)
    lane.start()
    began = time.monotonic()
    offered = [lane.offer(served(number)) for number in range(5000)]
    assert time.monotonic() - began < 2
    going.set()
    tally = lane.close(5)
    assert tally.overflowed == offered.count(False) >= 4980
    assert tally.taken + tally.overflowed == 5000


def test_the_queue_is_bounded_by_bytes(served):
    lane = Lane("test", lambda _: None, most_bytes=1000)
    assert lane.offer(served(1, rows=({"image": b"x" * 900},)))
    assert not lane.offer(served(2, rows=({"image": b"x" * 900},)))


def test_a_broken_consumer_is_counted_and_goes_on(served, caplog):
    calls = []

    def consume(batch):
        calls.append(len(batch))
        if len(calls) == 1:
            raise ValueError("broken")

    lane = Lane("test", consume)
    lane.offer(served(1))
    lane.start()
    lane.drain(5)
    lane.offer(served(2))
    tally = lane.close(5)
    assert (tally.failed, tally.taken) == (1, 1)
    assert "could not be used" in caplog.text


def test_what_cannot_be_taken_now_is_tried_again(served):
    attempts = []

    def consume(batch):
        attempts.append(len(batch))
        if len(attempts) < 3:
            raise NotNowError("away")

    lane = Lane("test", consume)
    lane.offer(served(1))
    lane.start()
    assert lane.drain(5)
    assert attempts == [1, 1, 1]
    assert lane.close(1).taken == 1


def test_closing_does_not_wait_for_ever(served):
    def consume(_):
        raise NotNowError("away")

    lane = Lane("test", consume)
    lane.offer(served(1))
    lane.start()
    began = time.monotonic()
    assert lane.close(0.3).failed == 1
    assert time.monotonic() - began < 3
