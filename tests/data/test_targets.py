import polars as pl
import pytest

from headway.data.targets import read_target
from headway.errors import DataError


def read(cells, task="classify", **options):
    return read_target(pl.Series("y", cells), task, **options)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["b", "a", "b"], ("a", "b")),
        (["10", "9", "-1"], (-1, 9, 10)),
        (["01", "2"], ("01", "2")),
        ([True, False], (False, True)),
        ([1.0, 3.0], (1, 3)),
        ([0.5, 1.0], (0.5, 1.0)),
        ([7, 5], (5, 7)),
    ],
)
def test_labels_keep_their_kind_in_sorted_order(cells, labels):
    found = read(cells)
    assert found.labels == labels
    assert [type(label) for label in found.labels] == [type(label) for label in labels]


def test_rows_without_label_are_faults():
    found = read(["a", None, "b"])
    assert found.y.tolist() == [0, -1, 1]
    assert (found.faults.tolist(), found.reasons) == ([1], ("the target is missing",))


def test_the_labels_of_training_hold_for_the_test_part_whatever_their_type():
    assert read(["2", "1"], labels=(1, 2)).y.tolist() == [1, 0]
    found = read(["x", "z"], labels=("x", "y"))
    assert "'z' is not in the training part" in found.reasons[0]


def test_one_class_no_class_and_thousands_are_errors():
    for cells, words in ((["a", "a"], "one class"), ([None, None], "empty")):
        with pytest.raises(DataError, match=words):
            read(pl.Series(cells, dtype=pl.String))
    with pytest.raises(DataError, match="classes"):
        read([f"id{i}" for i in range(6000)])


def test_a_regression_target_of_words_is_an_error():
    with pytest.raises(DataError, match="no numbers"):
        read(["high", "low"], "regress")
