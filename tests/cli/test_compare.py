from dataclasses import replace

import polars as pl
import pytest

from headway.cli.compare import TestedRun, compare_runs
from headway.data.dataset import ROW
from headway.errors import RunError

TestedRun.__test__ = False  # its name begins like a test class's


def make_run(name, right, *, actual=None, rows=None, task="classify"):
    """A run over 200 rows that answers the first `right` of them right."""
    actual = actual or ["a", "b"] * 100
    other = {"a": "b", "b": "a"}
    answers = [label if n < right else other[label] for n, label in enumerate(actual)]
    frame = pl.DataFrame(
        {
            ROW: rows or list(range(len(actual))),
            "actual": actual,
            "prediction": answers,
            "confidence": [0.9] * len(actual),
            "p_a": [0.9 if answer == "a" else 0.1 for answer in answers],
            "p_b": [0.9 if answer == "b" else 0.1 for answer in answers],
        }
    )
    return TestedRun(name, task, frame)


def test_a_large_difference_is_no_luck():
    result = compare_runs(make_run("A (bag)", 120), make_run("B (cnn)", 180))
    assert result.values == (0.6, 0.9)
    assert result.better == "B (cnn)"
    assert "B (cnn)" in result.verdict


def test_a_small_one_may_be():
    assert compare_runs(make_run("A", 150), make_run("B", 151)).better is None


COSTS = {"a": {"a": 0.0, "b": 10.0}, "b": {"a": 1.0, "b": 0.0}}


def test_runs_with_costs_are_compared_by_their_cost():
    careless = make_run("B", 150, actual=["a"] * 200)
    cautious = replace(make_run("A", 200, actual=["a"] * 200), costs=COSTS)
    result = compare_runs(cautious, careless)
    assert (result.metric, result.values) == ("mean_cost", (0.0, 2.5))
    assert result.better == "A"
    assert compare_runs(cautious, careless, metric="accuracy").values == (1.0, 0.75)
    other = replace(careless, costs={**COSTS, "b": {"a": 2.0, "b": 0.0}})
    assert compare_runs(cautious, other).metric == "accuracy"
    with pytest.raises(RunError, match="cannot be compared by their cost"):
        compare_runs(cautious, other, metric="mean_cost")


def test_rows_are_matched_by_their_number():
    backwards = make_run("B", 150)
    shuffled = TestedRun("B", "classify", backwards.answers.reverse())
    assert compare_runs(make_run("A", 150), shuffled).difference == 0


def test_runs_over_other_rows_do_not_compare():
    with pytest.raises(RunError, match="not tested on the same rows"):
        compare_runs(make_run("A", 1), make_run("B", 1, rows=list(range(1000, 1200))))
    with pytest.raises(RunError, match="not tested on the same rows"):
        compare_runs(make_run("A", 1), make_run("B", 1, actual=["b", "a"] * 100))


def test_runs_with_other_labels_do_not_compare():
    other = make_run("B", 1)
    with pytest.raises(RunError, match="different questions"):
        compare_runs(make_run("A", 1), TestedRun("B", "classify", other.answers.rename({"p_a": "p_c"})))


def test_values_compare_by_rmse():
    frame = pl.DataFrame({ROW: range(100), "actual": [float(n) for n in range(100)]})
    near = TestedRun("A", "regress", frame.with_columns(prediction=pl.col("actual") + 1))
    far = TestedRun("B", "regress", frame.with_columns(prediction=pl.col("actual") - 5))
    result = compare_runs(near, far)
    assert result.metric == "rmse"
    assert result.better == "A"
