import json
import threading
import time

import pytest
from sqlalchemy import event, select

from headway.errors import StoreError
from headway.serving.learning import Lane, NotNowError
from headway.serving.store.opening import connect, open_store
from headway.serving.store.reading import read_answered, read_stored
from headway.serving.store.recorder import Keeping, Recorder, read_keeping
from headway.serving.store.tables import feedback, predictions


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def test_predictions_and_feedback_come_back(store, served, told):
    Recorder(store)([served(1, at=10.0), served(2, at=20.0), told(1, "差评", at=30.0), told(1, "好评", at=40.0)])
    first, second = read_answered(store, model="reviews")
    assert (first.request_id, first.prediction, first.truth, first.right, first.told) == (
        "r1",
        "好评",
        "好评",
        True,
        40,
    )
    assert first.inputs == {"review": "很好"}
    assert second.truth is None
    assert [each.request_id for each in read_answered(store, with_feedback=True)] == ["r1"]
    assert read_stored(store).feedback == 2


def test_personal_data_never_reach_the_database(store, served, told):
    text = "我是李雷，电话13812345678，邮箱a@example.com\0"
    Recorder(store)([served(1, text=text, user="ann@example.com"), told(1, note="call 415-555-2671")])
    with store.engine.connect() as connection:
        dumped = [
            str(row)
            for table in ("predictions", "feedback")
            for row in connection.exec_driver_sql(f"SELECT * FROM headway_{table}")
        ]
    for secret in ("13812345678", "a@example.com", "ann@example.com", "555-2671"):
        assert secret not in str(dumped)
    (kept,) = read_answered(store)
    assert "[PHONE]" in kept.inputs["review"]
    assert len(kept.subject) == 64


def test_a_wrong_row_leaves_only_the_kind_of_its_error(store, served):
    wrong = {"error": {"type": "wrong_input", "problems": [{"got": "13812345678"}]}}
    Recorder(store)([served(1, answers=(wrong,))])
    with store.engine.connect() as connection:
        assert connection.execute(select(predictions.c.error, predictions.c.prediction)).one() == ("wrong_input", None)
    assert list(read_answered(store)) == []


def test_odd_values_are_stored(store, served):
    rows = ({"image": b"\x89PNG" * 100, "x": float("nan"), "lone": "\ud800", "long": "很" * 20_000, "id": 2**70},)
    Recorder(store)([served(1, rows=rows)])
    (kept,) = read_answered(store)
    assert kept.inputs["image"]["bytes"] == 400
    assert kept.inputs["x"] is None
    assert len(kept.inputs["long"]) == 10_000


def test_a_batch_written_twice_counts_once(store, served):
    batch = [served(1), served(2)]
    Recorder(store)(batch)
    Recorder(store)(batch)
    assert read_stored(store).predictions == 2


def test_a_sample_keeps_the_same_requests_everywhere(store, served):
    batch = [served(number) for number in range(400)]
    Recorder(store, Keeping(0.25))(batch)
    kept = {each.request_id for each in read_answered(store)}
    assert 60 < len(kept) < 140
    Recorder(store, Keeping(0.25))(batch)
    assert {each.request_id for each in read_answered(store)} == kept


def test_off_keeps_no_predictions(store, served):
    Recorder(store, Keeping(0.0))([served(1)])
    assert read_stored(store).predictions == 0


@pytest.mark.parametrize(("wish", "share"), [("off", 0), ("all", 1), ("10%", 0.1), ("0.5", 0.5)])
def test_keeping_is_read(wish, share):
    assert read_keeping(wish).share == pytest.approx(share)


@pytest.mark.parametrize("wish", ["", "some", "150%", "-1", "nan"])
def test_other_wishes_are_refused(wish):
    with pytest.raises(StoreError, match="how much to keep"):
        read_keeping(wish)


def test_one_record_that_the_database_refuses_costs_no_other(store, served, monkeypatch):
    bad = served(1, at=float("nan"))  # NOT NULL in SQLite; PostgreSQL has a NaN
    Recorder(store)([served(0), bad, served(2)])
    assert {"r0", "r2"} <= {each.request_id for each in read_answered(store, since=-1e18)}


def test_a_full_disk_delays_and_loses_nothing(tmp_path, served):
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    limit = {"pages": 0}

    @event.listens_for(store.engine, "connect")
    def fill(connection, _):
        if limit["pages"]:
            connection.execute(f"PRAGMA max_page_count={limit['pages']}")

    with store.engine.connect() as connection:
        limit["pages"] = connection.exec_driver_sql("PRAGMA page_count").scalar() + 1
    lane = Lane("store", Recorder(store))
    lane.start()
    for number in range(300):
        lane.offer(served(number, text="很长的评论" * 50))
    wait_until(lambda: lane.tally().down)
    with pytest.raises(NotNowError, match="full"):
        Recorder(store)([served(999, text="很长的评论" * 5000)] * 3)
    limit["pages"] = 0
    wait_until(lambda: lane.tally().taken == 300)
    lane.close(2)
    assert read_stored(store).predictions == 300


def test_a_deleted_database_is_made_anew(tmp_path, served):
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    lane = Lane("store", Recorder(store))
    lane.start()
    lane.offer(served(1))
    assert lane.drain(5)
    for path in tmp_path.glob("store.db*"):
        path.unlink()
    lane.offer(served(2))
    wait_until(lambda: lane.tally().taken == 2)
    lane.close(2)
    assert read_stored(store).predictions == 1


def test_a_gone_server_is_waited_for(cluster, served):
    store = open_store(cluster.url)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE headway_predictions")
    lane = Lane("store", Recorder(store), most_events=50)
    lane.start()
    cluster.stop()
    try:
        for number in range(60):
            lane.offer(served(number))
        wait_until(lambda: lane.tally().down)
        assert lane.tally().overflowed == 10
    finally:
        cluster.start()
    wait_until(lambda: lane.tally().taken == 50, 30)
    lane.close(2)
    assert read_stored(store).predictions == 50
    store.close()


def test_a_server_starts_though_its_database_is_away(served):
    lane = Lane("store", Recorder(connect("postgresql://nobody@/x?host=/nowhere")))
    lane.start()
    lane.offer(served(1))
    wait_until(lambda: lane.tally().down)
    assert lane.close(0.2).failed == 1


def test_two_processes_write_at_once(tmp_path, served):
    url = f"sqlite:///{tmp_path}/store.db"

    def write(first):
        recorder = Recorder(open_store(url))
        for number in range(first, first + 200, 20):
            recorder([served(each) for each in range(number, number + 20)])

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 200, 400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = open_store(url)
    assert read_stored(store).predictions == 600
    with store.engine.connect() as connection:
        assert json.loads(connection.execute(select(predictions.c.prediction)).scalar()) == "好评"


@pytest.mark.parametrize(("masked", "note"), [(True, "call [PHONE]"), (False, "call 415-555-2671")])
def test_notes_are_masked_unless_they_shall_stay_as_they_came(store, told, masked, note):
    Recorder(store, Keeping(mask=masked))([told(1, note="call 415-555-2671")])
    with store.engine.connect() as connection:
        assert connection.execute(select(feedback.c.note)).scalar() == note
