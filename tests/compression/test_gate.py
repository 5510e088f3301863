import numpy as np
import pytest

from headway.compression.gate import change_between, check_gate, complaints
from headway.errors import GateError
from tests.compression.graphs import dense_graph, numbers_frame, subject_of


@pytest.fixture(scope="module")
def subject():
    return subject_of(dense_graph(), numbers_frame(900))


def spoilt(subject, share):
    """The right answers, of which a share is turned to another label."""
    generator = np.random.default_rng(3)
    wrong = generator.random(len(subject.exam)) < share
    return np.eye(5)[np.where(wrong, (subject.exam.y + 1) % 5, subject.exam.y)]


def test_the_same_answers_lose_nothing(subject):
    answers = spoilt(subject, 0.1)
    change = change_between(subject, answers, answers)
    assert (change.loss, change.interval, change.decisions) == (0.0, (0.0, 0.0), 0.0)
    assert complaints(change, drop=0.0, measured={}, limits={}) == ()


def test_the_upper_end_of_the_interval_decides_not_the_loss_itself(subject):
    change = change_between(subject, spoilt(subject, 0.0), spoilt(subject, 0.03))
    assert 0 < change.loss < change.interval[1]
    between = (change.loss + change.interval[1]) / 2
    reasons = complaints(change, drop=between, measured={}, limits={})
    assert len(reasons) == 1
    assert f"on {len(subject.exam)} rows" in reasons[0]
    assert complaints(change, drop=change.interval[1] + 1e-9, measured={}, limits={}) == ()


def test_limits_are_part_of_the_gate(subject):
    change = change_between(subject, spoilt(subject, 0.1), spoilt(subject, 0.1))
    found = complaints(
        change, drop=0.1, measured={"size_mb": 3.0, "memory_mb": None}, limits={"size_mb": 2.0, "memory_mb": 1}
    )
    assert found == ("size_mb 3 > 2",)


def test_a_refusal_is_an_error_with_its_figures():
    check_gate("int8", ())
    with pytest.raises(GateError, match="size_mb 3 > 2") as raised:
        check_gate("int8", ("size_mb 3 > 2",))
    assert "--drop" in str(raised.value)
