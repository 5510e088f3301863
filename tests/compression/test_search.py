import numpy as np
import pytest

from headway.compression.planning import plan_variants
from headway.compression.quantising.schemes import FOUR, HALF, inputs_of, shrunk
from headway.compression.search import THOROUGH, Effort, search
from headway.compression.verdict import Made, Variant
from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.package.opening import open_graph
from tests.compression.graphs import dense_graph, numbers_frame, subject_of

QUICK = Effort(thorough=False)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Tiny graphs gain little by fewer bits, and some machines are slow with them: what is lost decides here."""
    monkeypatch.setattr("headway.compression.search.SLOWER", 100.0)
    monkeypatch.setattr("headway.compression.search.WORTH", 100.0)


def heard(subject, variants, *, drop=0.05, clock=None, effort=QUICK):
    events = []
    found = search(subject, variants, drop=drop, clock=clock or Clock(), effort=effort, listen=events.append)
    return found, events


def fixed(name, graph):
    return Variant(name, "quantised", lambda _: Made(graph, lambda _: graph))


def raising(clock):
    raise TrainingError("it cannot be done")


def test_a_variant_that_loses_too_much_is_refused_with_its_figures_and_the_original_stays():
    subject = subject_of(dense_graph(), numbers_frame(600))
    found, events = heard(subject, [fixed("noise", dense_graph(noise=2.0))])
    verdict = found.verdicts[1]
    assert found.chosen is None
    assert (verdict.status, events[0].status) == ("refused", "refused")
    assert "may lose up to" in verdict.reason
    assert verdict.change.loss > 0.1
    assert verdict.measured.size_mb > 0


@pytest.mark.parametrize(("noise", "passed"), [(0.0, True), (2.0, False)])
def test_what_follows_a_variant_is_tried_next_and_hears_how_it_did(noise, passed):
    graph, asked = dense_graph(noise=noise), []

    def following(found):
        asked.append(found)
        return fixed("second", dense_graph())

    first = Variant("first", "pruned", lambda _: Made(graph, lambda _: graph, following))
    found, events = heard(
        subject_of(dense_graph(), numbers_frame(600)), [first, fixed("third", graph)], effort=THOROUGH
    )
    assert asked == [passed]
    assert [event.name for event in events] == ["first", "second", "third"]
    assert [verdict.name for verdict in found.verdicts] == ["original", "first", "second", "third"]


def test_what_ships_is_made_from_what_ships_and_judged_by_what_does_not_know_the_rows():
    judged, shipped = dense_graph(), dense_graph(noise=0.02)
    subject = subject_of(judged, numbers_frame(600), shipped=shipped)
    calibration = inputs_of(judged, subject.calibration)
    variant = Variant(
        "half",
        "quantised",
        lambda _: Made(shrunk(judged, HALF, calibration), lambda _: shrunk(shipped, HALF, calibration)),
    )
    found, _ = heard(subject, [variant])
    assert found.chosen is not None, found.verdicts[1].reason
    assert found.verdicts[1].change.loss == 0.0
    assert found.chosen.graph.onnx == shrunk(shipped, HALF, calibration).onnx


def test_a_model_of_all_rows_that_fails_the_gate_is_refused():
    judged, shipped = dense_graph(), dense_graph(noise=0.02)
    subject = subject_of(judged, numbers_frame(600), shipped=shipped)
    four = shrunk(judged, FOUR, {})
    broken = shrunk(dense_graph(noise=3.0), FOUR, {})
    found, _ = heard(subject, [Variant("int4", "quantised", lambda _: Made(four, lambda _: broken))], drop=0.2)
    assert found.chosen is None
    assert "of all rows: it may lose up to" in found.verdicts[1].reason


def test_a_student_of_all_rows_is_held_to_the_student_that_was_judged():
    judged = dense_graph()
    # What ships knows its rows by heart; no student has to.
    subject = subject_of(judged, numbers_frame(600), shipped=dense_graph(noise=3.0))
    four = shrunk(judged, FOUR, {})
    broken = shrunk(dense_graph(noise=3.0), FOUR, {})
    for ships, wanted in ((four, "chosen"), (broken, "refused")):
        found, _ = heard(
            subject, [Variant("bag", "distilled", lambda _, ships=ships: Made(four, lambda _: ships))], drop=0.2
        )
        assert found.verdicts[1].status == wanted, found.verdicts[1].reason
    assert "of all rows: it may lose up to" in found.verdicts[1].reason


def test_crashes_and_lack_of_time_are_told_and_end_nothing():
    subject = subject_of(dense_graph(), numbers_frame(300))
    found, events = heard(subject, [Variant("broken", "pruned", raising)])
    assert (found.verdicts[1].status, found.verdicts[1].reason) == ("failed", "it cannot be done")
    found, events = heard(subject, [Variant("slow", "distilled", raising, lambda: 1e6)], clock=Clock.after(30))
    assert [event.status for event in events] == ["skipped"]
    assert found.chosen is None


def test_the_plan_offers_the_schemes_that_fit():
    subject = subject_of(dense_graph(), numbers_frame(100))
    assert plan_variants(subject, methods=("quantise",), winner="mlp")[0].name == "int8"
    assert plan_variants(subject, methods=(), winner="mlp") == ()


def test_the_rows_that_judge_calibrate_nothing():
    subject = subject_of(dense_graph(), numbers_frame(300))
    judges = {tuple(row) for row in subject.exam.rows.rows()}
    calibrating = zip(*(np.asarray(cells) for cells in subject.calibration.values()), strict=True)
    assert not judges & {tuple(row) for row in calibrating}
    assert THOROUGH.thorough
    assert open_graph(subject.judged).run(subject.exam_columns).shape == (100, 5)
