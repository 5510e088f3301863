import numpy as np
import pytest

from headway.serving.drift.watching import Progress, Watch, Watching, Window, read_reference
from headway.serving.learning import Noted
from headway.serving.observing import Feedback, Opened, Served
from tests.serving.drift.watched import write_watched, write_watched_several, write_watched_too_much
from tests.serving.packages import write_tiny

RANDOM = np.random.default_rng(0)


def make_event(number, *, mean=0.0, prediction="a", name="m", version="v1", rows=1, shadow=False):
    cells = tuple({"a": float(RANDOM.normal(mean, 1))} for _ in range(rows))
    answers = tuple({"prediction": prediction, "confidence": 0.9, "probabilities": {}} for _ in range(rows))
    return Noted(Served(f"r{number}", name, version, cells, answers, 0.01, shadow=shadow))


@pytest.fixture
def watched(watched_package):
    alarms = []
    watch = Watch(alarms.append, Watching(window=100, told=60, most_rows_per_second=1e6))
    watch.opened(Opened("m", "v1", "classify", str(watched_package)))
    return watch, alarms


def drawn(number):
    return "b" if number % 10 == 0 else "a"


def test_usual_rows_raise_no_alarm(watched):
    watch, alarms = watched
    watch([make_event(number, prediction=drawn(number)) for number in range(300)])
    assert not alarms
    assert watch.drifts()["m"][Window("rows")].rows == 100


def test_other_rows_alarm_when_the_window_is_full(watched):
    watch, alarms = watched
    watch([make_event(number, mean=2.0, prediction=drawn(number)) for number in range(99)])
    assert not alarms
    watch([make_event(99, mean=2.0)])
    assert alarms[0].kind == "drift"
    assert "numbers of a" in alarms[0].message
    assert alarms[0].details["shifts"][0]["column"] == "a"


def test_what_goes_on_is_not_told_with_every_window(watched_package):
    alarms, now = [], [0.0]
    watch = Watch(alarms.append, Watching(window=100, most_rows_per_second=1e6, silence=60.0), clock=lambda: now[0])
    watch.opened(Opened("m", "v1", "classify", str(watched_package)))

    def see(mean, said=drawn):
        now[0] += 1.0
        watch([make_event(number, mean=mean, prediction=said(number)) for number in range(100)])
        return len(alarms)

    assert see(3.0) == see(3.0) == see(0.0) == see(3.0) == 1
    assert watch.drifts()["m"][Window("rows")].alarms  # what was seen is in the figures all the same
    assert see(3.0, lambda _: "b") == 2  # the answers too, now
    assert see(3.0) == 2
    now[0] += 60.0
    assert see(3.0) == 3


def test_feedback_shows_a_loss_of_accuracy(watched):
    watch, alarms = watched
    watch([make_event(number, prediction=drawn(number)) for number in range(60)])
    told = [Noted(Feedback(f"r{number}", 0, "c" if number % 2 else drawn(number), "m")) for number in range(60)]
    watch(told)
    assert "mistakes" in alarms[-1].message
    watch([Noted(Feedback("unknown", 0, "a", "m"))])


def test_shadows_failures_and_unknown_models_do_not_count(watched):
    watch, alarms = watched
    watch([make_event(number, mean=5.0, shadow=True) for number in range(150)])
    watch(
        [Noted(Served(f"u{number}", "other", "v", ({"a": 1.0},), ({"prediction": "a"},), 0.1)) for number in range(5)]
    )
    watch([Noted(Served("empty", "m", "v1", ({"a": 1.0},), ({"error": "bad"},), 0.1))])
    assert not alarms


def test_large_requests_fill_a_window_and_no_more(watched):
    watch, _ = watched
    watch([make_event(1, rows=5000)])
    assert watch.drifts()["m"][Window("rows")].rows == 100


def test_a_new_version_starts_anew(watched, watched_package):
    watch, alarms = watched
    watch([make_event(number, mean=3.0) for number in range(99)])
    watch.opened(Opened("m", "v2", "classify", str(watched_package)))
    watch([make_event(number, version="v2", prediction=drawn(number)) for number in range(100)])
    assert not alarms
    assert watch.drifts()["m"][Window("rows")].rows == 100


def test_a_deployed_package_is_watched_by_its_own_reference(watched, tmp_path):
    watch, alarms = watched
    higher = write_watched(tmp_path / "higher", mean=5.0)
    watch.opened(Opened("m", "v2", "classify", str(higher)))
    watch.opened(Opened("another", "v1", "classify", str(higher)))
    watch([make_event(number, version="v2", mean=5.0, prediction=drawn(number)) for number in range(100)])
    watch([make_event(number, version="v1", mean=9.0) for number in range(100)])  # the last that v1 answered
    assert not alarms
    watch([make_event(number, name="another", mean=0.0, prediction=drawn(number)) for number in range(100)])
    assert [alarm.model for alarm in alarms] == ["another"]


def test_a_package_is_read_once_and_told_of_once_without_a_reference(tmp_path, caplog):
    plain = write_tiny(tmp_path / "plain")
    watch = Watch(lambda _: None)
    watch.opened(Opened("m", "v1", "classify", str(plain)))
    watch([make_event(number) for number in range(3)])
    assert caplog.text.count("is not watched for drift") == 1
    assert watch.drifts() == {"m": {}}


def test_feedback_is_compared_with_the_answer_of_its_own_row(watched):
    watch, _ = watched
    rows, answers = [{"a": 0.0}] * 3, [{"error": {"type": "wrong_input"}}, {"prediction": "a"}, {"prediction": "b"}]
    for number in range(30):
        piece = Served(f"r{number}", "m", "v1", rows, answers, 0.01, places=(6, 7, 9))
        watch([Noted(piece), Noted(Feedback(f"r{number}", 7, "a", "m")), Noted(Feedback(f"r{number}", 9, "b", "m"))])
        watch([Noted(Feedback(f"r{number}", row, "b", "m")) for row in (0, 1, 6, 8)])  # nothing was answered there
    heard = watch.drifts()["m"][Window("feedback")]
    assert heard.rows == 60
    assert [(shift.cell, shift.now) in {("right", 1.0), ("wrong", 0.0)} for shift in heard.shifts] == [True]


def test_a_place_without_a_package_has_no_reference(tmp_path):
    assert read_reference(tmp_path) is None


def make_several(number, side, far, *, sure=0.75):
    """A request of one row that was answered for two targets."""
    cells = ({"a": float(RANDOM.normal()), "b": float(RANDOM.normal())},)
    targets = {"side": {"prediction": side, "confidence": sure, "probabilities": {}}, "far": {"prediction": far}}
    answer = {"prediction": {"side": side, "far": far}, "targets": targets}
    return Noted(Served(f"r{number}", "m", "v1", cells, (answer,), 0.01))


@pytest.fixture
def several(tmp_path):
    alarms = []
    watch = Watch(alarms.append, Watching(window=200, told=60, most_rows_per_second=1e6))
    watch.opened(Opened("m", "v1", "several", str(write_watched_several(tmp_path / "several"))))
    return watch, alarms


def usual_answers(count):
    return [(bool(RANDOM.random() < 0.5), float(RANDOM.normal(0, 2)), RANDOM.uniform(0.5, 1)) for _ in range(count)]


def test_the_answers_for_each_of_several_targets_are_watched(several):
    watch, alarms = several
    watch([make_several(number, side, far, sure=sure) for number, (side, far, sure) in enumerate(usual_answers(200))])
    assert not alarms
    assert {shift.target for shift in watch.drifts()["m"][Window("rows")].shifts} == {"", "side", "far"}
    moved = usual_answers(200)
    watch([make_several(number, side, far + 5, sure=sure) for number, (side, far, sure) in enumerate(moved)])
    (alarm,) = alarms
    assert "answers for far" in alarm.message
    assert [(shift["target"], shift["aspect"]) for shift in alarm.details["shifts"]] == [("far", "answer")]


def test_feedback_counts_for_the_targets_that_it_names(several):
    watch, alarms = several
    watch([make_several(number, side, far) for number, (side, far, _) in enumerate(usual_answers(180))])
    said = {f"r{number}": watch._answers[f"r{number}", 0].prediction for number in range(180)}
    right = [Noted(Feedback(f"r{number}", 0, {"side": said[f"r{number}"]["side"]}, "m")) for number in range(60)]
    wrong = [Noted(Feedback(f"r{number}", 0, {"far": said[f"r{number}"]["far"] + 9}, "m")) for number in range(60, 120)]
    watch([*right, *wrong, Noted(Feedback("r150", 0, {"unknown": 1, "far": True}, "m"))])
    found = watch.drifts()["m"]
    assert {window: drift.rows for window, drift in found.items()} == {
        Window("feedback", "side"): 60, Window("feedback", "far"): 60
    }  # fmt: skip
    (alarm,) = alarms
    assert "mistakes for far" in alarm.message
    assert alarm.details["target"] == "far"


def test_columns_that_the_model_does_not_read_are_not_watched(tmp_path):
    alarms = []
    watch = Watch(alarms.append, Watching(window=100, most_rows_per_second=1e6))
    watch.opened(Opened("m", "v1", "classify", str(write_watched_too_much(tmp_path / "package"))))
    watch([make_event(number, prediction=drawn(number)) for number in range(100)])  # rows that lack the other column
    assert not alarms
    assert {shift.column for shift in watch.drifts()["m"][Window("rows")].shifts} == {"", "a"}


def test_what_a_window_still_lacks_is_known(watched, tmp_path):
    watch, _ = watched
    rows, feedback = Window("rows"), Window("feedback")
    assert watch.progress() == {"m": {rows: Progress(100, 100)}}
    watch([make_event(number) for number in range(30)])
    watch([Noted(Feedback("r1", 0, "a", "m"))])
    assert watch.progress() == {"m": {rows: Progress(70, 100), feedback: Progress(59, 60)}}
    watch([make_event(number) for number in range(30, 110)])
    assert watch.progress()["m"][rows] == Progress(90, 100)
    watch.opened(Opened("m", "v2", "classify", str(write_tiny(tmp_path / "plain"))))
    assert watch.progress()["m"] == {rows: Progress(100, 100)}
    watch([make_event(1, version="v2")])
    assert watch.progress()["m"] == {}


def test_an_alarm_of_a_package_with_a_history_says_how_far_it_remembers(watched_package):
    alarms = []
    watch = Watch(alarms.append, Watching(window=100, most_rows_per_second=1e6))
    watch.opened(Opened("m", "v1", "classify", str(watched_package), remembers_until=1_771_934_612.0))
    watch([make_event(number, prediction="b") for number in range(100)])
    assert "remembers rows up to 2026-02-24 12:03 (UTC) only" in alarms[0].message
    assert alarms[0].details["remembers_until"] == 1_771_934_612.0
