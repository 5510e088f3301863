import numpy as np
import polars as pl
import pytest

from headway.data.dataset import Column
from headway.errors import HeadwayError
from headway.evaluation.comparison import compare
from headway.evaluation.metrics import default_metric, greater_is_better, metric_names, quick_metric, score
from headway.evaluation.several import evaluate_several
from headway.tasks import Classify, Part, Regress, Several

TASK = Several((Part("topic", Classify(("a", "b")), "accuracy"), Part("price", Regress(), "r2")))
# Six rows: the topic of four is known and right in three; prices are known of four.
Y = np.array([[0, 1], [1, 2], [0, np.nan], [1, np.nan], [np.nan, 3], [np.nan, 4]], np.float32)
ANSWERS = np.array(
    [[0.9, 0.1, 1], [0.2, 0.8, 2], [0.7, 0.3, 9], [0.6, 0.4, 9], [0.5, 0.5, 3], [0.5, 0.5, 3]], np.float32
)


def test_each_target_is_judged_on_the_rows_that_have_it():
    assert quick_metric("accuracy:topic", Y, ANSWERS, TASK) == 0.75
    assert quick_metric("mae:price", Y, ANSWERS, TASK) == 0.25
    assert quick_metric("r2:price", Y, ANSWERS, TASK) == pytest.approx(0.8)


def test_the_mean_of_what_targets_count_by_chooses():
    assert default_metric(TASK, Y) == "mean_score"
    assert quick_metric("mean_score", Y, ANSWERS, TASK) == pytest.approx((0.75 + 0.8) / 2)
    assert greater_is_better("mean_score")
    assert not greater_is_better("rmse:price")
    assert {"mean_score", "accuracy:topic", "rmse:price"} <= set(metric_names(TASK))


def test_a_target_that_cannot_be_told_does_not_drown_the_others():
    absurd = ANSWERS.copy()
    absurd[:, 2] = 1e6
    assert quick_metric("mean_score", Y, absurd, TASK) == pytest.approx((0.75 - 1) / 2)


def test_a_metric_without_a_target_has_no_meaning():
    with pytest.raises(HeadwayError, match="several targets have no such metric"):
        score("accuracy", Y, ANSWERS, TASK)


def test_resamples_are_weighted_row_by_row():
    twice = np.array([[1, 0], [1, 0], [1, 0], [1, 4], [1, 1], [1, 1]], float)
    found = score("accuracy:topic", Y, ANSWERS, TASK, weights=twice)
    assert found.tolist() == [0.75, 0]


def test_scores_hold_every_target_with_its_interval():
    rows = pl.DataFrame({"x": np.arange(6.0)})
    widths = {"price": {0.8: 0.5}}
    found = evaluate_several(Y, ANSWERS, TASK, rows=rows, inputs=(Column("x", "number"),), widths=widths)
    assert found.rows == 6
    assert {name: own.rows for name, own in found.targets.items()} == {"topic": 4, "price": 4}
    assert found.metrics["coverage_80:price"] == 0.75
    assert found.metrics["accuracy:topic"] == found.targets["topic"].metrics["accuracy"]
    low, high = found.intervals["mean_score"]
    assert low <= found.metrics["mean_score"] <= high
    assert found.targets["topic"].mistakes[0].cells == {"x": 3.0}


def test_a_target_that_no_row_has_gets_no_scores():
    found = evaluate_several(Y[:4, :] * np.array([1, np.nan], np.float32), ANSWERS[:4], TASK)
    assert list(found.targets) == ["topic"]


def test_two_models_of_several_targets_compare_by_the_mean():
    better = ANSWERS.copy()
    better[3, :2] = 0.1, 0.9
    y, first, second = (np.tile(each, (30, 1)) for each in (Y, ANSWERS, better))
    found = compare(first, second, y, TASK)
    assert found.metric == "mean_score"
    assert found.better == "B"
