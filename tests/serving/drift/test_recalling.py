from headway.serving.drift.recalling import Recall
from headway.serving.drift.watching import Watch, Watching, Window
from headway.serving.observing import Opened
from headway.serving.store.opening import connect, open_store
from headway.serving.store.reading import Said
from headway.serving.store.recorder import Recorder


def test_answers_are_known_by_request_and_row_and_shadows_are_not(store, served):
    rows, answers = ({"review": "x"},) * 2, ({"error": {"type": "wrong_input"}}, {"prediction": "差评"})
    Recorder(store)([served(1), served(1, version="dark", shadow=True), served(2, rows=rows, answers=answers)])
    recall = Recall(store)
    assert recall("r1", 0) == Said("reviews", "v1", "好评")
    assert recall("r2", 1) == Said("reviews", "v1", "差评")
    assert [recall("r2", 0), recall("r1", 1), recall("r9", 0)] == [None] * 3


def test_a_store_that_is_away_is_not_asked_each_time(tmp_path, caplog):
    gone = tmp_path / "gone"
    recall = Recall(connect(f"sqlite:///{gone}/store.db"))
    assert [recall("r1", 0) for _ in range(5)] == [None] * 5
    assert caplog.text.count("not watched for drift") == 1


def test_feedback_on_what_another_process_answered_counts(tmp_path, watched_package, served, told):
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    Recorder(store)([served(number, prediction="a") for number in range(60)])
    Recorder(store)([served(number, prediction="a", version="v0") for number in range(60, 70)])  # replaced since
    watch = Watch(lambda _: None, Watching(told=60), recall=Recall(store))
    watch.opened(Opened("reviews", "v1", "classify", str(watched_package)))
    watch([told(number, "b") for number in range(60, 70)])
    watch([told(number, "a") for number in range(60)])
    heard = watch.drifts()["reviews"][Window("feedback")]
    assert heard.rows == 60
    assert [(shift.cell, shift.now) in {("right", 1.0), ("wrong", 0.0)} for shift in heard.shifts] == [True]
