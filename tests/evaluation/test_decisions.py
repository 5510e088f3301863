import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, precision_score

from headway.errors import HeadwayError
from headway.evaluation.decisions import choose_threshold, decide, read_costs

LABELS = ("no", "yes")


def test_without_a_wish_the_most_probable_label_is_chosen():
    assert decide(np.array([[0.2, 0.5, 0.3]])).tolist() == [1]


def test_a_threshold_holds_a_label_back_and_the_best_of_the_others_answers():
    p = np.array([[0.1, 0.6, 0.3], [0.1, 0.8, 0.1], [0.5, 0.2, 0.3]])
    assert decide(p, threshold=(1, 0.7)).tolist() == [2, 1, 0]
    assert decide(p, threshold=(1, 0.2)).tolist() == [1, 1, 1]


def test_costs_choose_the_answer_of_least_expected_cost():
    costs = read_costs({"yes": {"no": 9}}, LABELS)
    assert costs == ((0, 1), (9, 0))
    assert decide(np.array([[0.89, 0.11], [0.91, 0.09]]), costs=costs).tolist() == [1, 0]


@given(seed=st.integers(0, 5000), wanted=st.sampled_from([0.5, 0.8, 0.95]))
def test_the_threshold_finds_the_most_rows_at_the_wanted_precision(seed, wanted):
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=40)
    y[0] = 1
    p = np.clip(np.round(y * 0.3 + rng.random(40) * 0.7, 1), 0, 1)
    chosen = choose_threshold(y, np.column_stack([1 - p, p]), LABELS, precision=wanted, label="yes")
    precision, recall, _ = precision_recall_curve(y, p)
    usable = recall[:-1][precision[:-1] >= wanted]
    assert chosen.reached == bool(len(usable))
    if chosen.reached:
        assert chosen.recall == pytest.approx(usable.max())
        assert chosen.precision >= wanted
    answered = decide(np.column_stack([1 - p, p]), threshold=(1, chosen.threshold)) == 1
    assert answered.sum() == chosen.answered
    assert precision_score(y, answered) == pytest.approx(chosen.precision)


def test_a_precision_out_of_reach_gives_the_most_precise_threshold_and_says_so():
    p = np.array([0.9, 0.8, 0.8, 0.1])
    chosen = choose_threshold(np.array([0, 1, 1, 0]), np.column_stack([1 - p, p]), LABELS, precision=0.9, label="yes")
    assert not chosen.reached
    assert (chosen.precision, chosen.answered, chosen.recall) == (pytest.approx(2 / 3), 3, 1)
    assert chosen.threshold == pytest.approx(0.45)


def test_labels_are_found_as_a_project_file_writes_them():
    assert read_costs({"true": {"False": 3}}, (False, True)) == ((0, 1), (3, 0))
    assert read_costs({"1": {"0": 3}}, (0, 1)) == ((0, 1), (3, 0))


def test_a_wrong_label_gets_a_did_you_mean():
    with pytest.raises(HeadwayError, match="did you mean yes"):
        read_costs({"yess": {"no": 1}}, LABELS)


@pytest.mark.parametrize("cost", [-1, float("nan"), float("inf")])
def test_a_cost_that_is_no_cost_is_refused(cost):
    with pytest.raises(HeadwayError, match=r"decision\.costs\.yes\.no"):
        read_costs({"yes": {"no": cost}}, LABELS)
