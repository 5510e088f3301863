import math
from dataclasses import replace

import numpy as np
import pytest

from headway.errors import ExperimentError
from headway.serving.experiments.outcomes import gather, read_outcomes
from headway.serving.experiments.plan import Arm, Experiment
from headway.serving.store.reading import Answered
from headway.serving.store.recorder import Recorder

PLAN = Experiment("e", "m", (Arm("old", "m"), Arm("new", "n")), started=0.0, window=100.0)


def row(number, *, at, arm="old", subject=None, truth="a", prediction="a", shadow=False, value=None):
    return Answered(f"r{number}", 0, at, "v", subject, arm, shadow, {}, prediction, truth, at + 1, value)


def test_a_user_counts_once_when_the_window_is_over():
    rows = [
        row(1, at=0, subject="ann"),
        row(2, at=50, subject="ann", prediction="b"),
        row(3, at=150, subject="ann"),
        row(4, at=90, arm="new", subject="bob"),
    ]
    outcomes = gather(PLAN, rows, now=120.0)
    assert outcomes.units.value.tolist() == [0.5]
    assert outcomes.units.at.tolist() == [100.0]
    assert outcomes.waiting == 1
    later = gather(PLAN, rows, now=200.0)
    assert later.units.value.tolist() == [0.5, 1.0]
    assert later.units.arm.tolist() == [0, 1]


def test_a_stopped_experiment_counts_everybody():
    stopped = replace(PLAN, stopped=60.0)
    assert gather(stopped, [row(1, at=50, subject="ann")], now=60.0).waiting == 0


def test_requests_without_a_user_count_at_once():
    outcomes = gather(PLAN, [row(1, at=1), row(2, at=2, prediction="b")], now=3.0)
    assert outcomes.units.value.tolist() == [1.0, 0.0]


def test_a_second_arm_does_not_count():
    rows = [row(1, at=1, subject="ann", arm="new"), row(2, at=2, subject="ann", arm="old", prediction="b")]
    outcomes = gather(PLAN, rows, now=500.0)
    assert outcomes.units.arm.tolist() == [1]
    assert outcomes.units.value.tolist() == [1.0]


def test_a_shadow_is_paired_with_what_was_shown():
    plan = replace(PLAN, arms=(Arm("old", "m"), Arm("dark", "n", shadow=True)))
    rows = [row(1, at=1, prediction="b"), row(1, at=2, shadow=True), row(2, at=3, shadow=True)]
    units = gather(plan, rows, now=500.0).units
    assert units.arm.tolist() == [0, 1, 1]
    assert units.base[1] == 0.0
    assert math.isnan(units.base[2])


def test_a_value_is_its_own_outcome_whatever_the_model_answers():
    plan = replace(PLAN, outcome="value")
    rows = [row(1, at=1, truth=None, value=12.5), row(2, at=2), row(3, at=3, value=0.0)]
    assert gather(plan, rows, now=4.0).units.value.tolist() == [12.5, 0.0]
    assert gather(PLAN, rows, now=4.0).units.value.tolist() == [1.0, 1.0]


def test_numbers_count_by_how_far_they_are_off():
    plan = replace(PLAN, outcome="error")
    rows = [row(1, at=1, prediction=12.5, truth=10), row(2, at=2, prediction=3.0, truth=3.0)]
    assert gather(plan, rows, now=3.0).units.value.tolist() == [-2.5, 0.0]
    with pytest.raises(ExperimentError, match="two numbers"):
        gather(plan, [row(1, at=1, prediction=12.5, truth="very good")], now=3.0)


def test_nothing_gives_nothing():
    assert gather(PLAN, [], now=1.0).units.value.dtype == np.float64


def test_labels_are_compared_as_people_write_them():
    assert row(1, at=0, prediction=1, truth="1").right
    assert row(1, at=0, prediction="1", truth=1.0).right
    assert row(1, at=0, prediction=True, truth="True").right
    assert not row(1, at=0, prediction="a", truth="b").right


def test_outcomes_are_read_from_the_store(store, served, told):
    plan = replace(PLAN, outcome="accuracy")
    Recorder(store)(
        [
            served(1, at=1.0, arm="e/old", user="ann"),
            served(2, at=2.0, arm="e/new", user="bob", prediction="差评"),
            served(3, at=3.0, arm="other/new", user="cid"),
            served(4, at=4.0, arm="e/new", user="dan"),
            told(1, at=5.0),
            told(2, at=5.0),
            told(3, at=5.0),
        ]
    )
    outcomes = read_outcomes(store, plan, now=1000.0)
    assert outcomes.units.value.tolist() == [1.0, 0.0]
    assert outcomes.units.arm.tolist() == [0, 1]
