import numpy as np
import polars as pl
import pytest

from headway.data.changes import no_changes
from headway.data.dataset import ROW, Column, Dataset
from headway.data.label_errors import apply_label_errors, find_label_errors

pytest.importorskip("cleanlab")
WRONG = [3, 40, 77]


@pytest.fixture
def noisy():
    y = np.arange(120) % 2
    probabilities = np.where(np.eye(2)[y] > 0, 0.95, 0.05)
    given = y.copy()
    given[WRONG] = 1 - given[WRONG]
    rows = pl.DataFrame({ROW: pl.Series(np.arange(120) + 1000, dtype=pl.UInt32), "x": np.arange(120.0)})
    groups = np.arange(120)
    inputs = (Column("x", "number"),)
    return Dataset(rows, inputs, "y", "classify", ("no", "yes"), given, groups, None, no_changes()), probabilities


def test_flipped_labels_are_found_with_the_right_suggestion(noisy):
    dataset, probabilities = noisy
    found = find_label_errors(dataset, probabilities)
    assert sorted(found["position"].to_list()) == WRONG
    assert sorted(found[ROW].to_list()) == [1003, 1040, 1077]
    assert found.filter(pl.col("position") == 40).select("label", "suggested").row(0) == ("yes", "no")


def test_good_labels_give_nothing(noisy):
    dataset, probabilities = noisy
    right = Dataset(**{**vars(dataset), "y": probabilities.argmax(axis=1)})
    assert find_label_errors(right, probabilities).is_empty()


def test_errors_are_dropped_or_weigh_less_with_a_reason(noisy):
    dataset, probabilities = noisy
    errors = find_label_errors(dataset, probabilities)
    dropped = apply_label_errors(dataset, errors, "drop")
    assert len(dropped) == 117
    assert dropped.changes["step"].unique().to_list() == ["label_error"]
    assert any("'yes' is probably 'no' (95%)" in reason for reason in dropped.changes["reason"])
    weighed = apply_label_errors(dataset, errors, "weight")
    assert weighed.weight is not None
    assert weighed.weight[WRONG].tolist() == [0.25] * 3
    assert weighed.weight.sum() == 117 + 0.75
