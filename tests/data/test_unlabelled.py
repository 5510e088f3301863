import polars as pl
import pytest

from headway.data.dataset import Column
from headway.data.reading import read
from headway.data.unlabelled import clean_unlabelled
from headway.errors import DataError

INPUTS = (Column("review", "text"), Column("price", "number"))


def more(tmp_path, frame):
    frame.write_csv(tmp_path / "more.csv")
    return read("more.csv", folder=tmp_path)


def test_what_is_new_is_kept_and_typed(tmp_path):
    reviews = ["good room", "Good  ROOM", "noisy", "seen before", None, "noisy"]
    prices = ["1", "1", "2.5", "3", None, "2.5"]
    table = more(tmp_path, pl.DataFrame({"price": prices, "review": reviews, "extra": list("abcdef")}))
    labelled = pl.DataFrame({"review": ["seen before", "other"], "price": [3.0, 1.0]})
    found = clean_unlabelled(table, INPUTS, [labelled], where="more.csv")
    assert found.rows.to_dict(as_series=False) == {"review": ["good room", "noisy"], "price": [1.0, 2.5]}
    assert found.rows.columns == ["review", "price"]
    assert found.left_out == 4


def test_other_columns_are_an_error_with_the_nearest_name(tmp_path):
    table = more(tmp_path, pl.DataFrame({"reviews": ["good"], "price": [1]}))
    with pytest.raises(DataError, match="the unlabelled rows have other columns") as caught:
        clean_unlabelled(table, INPUTS, [], where="more.csv")
    assert "no review among reviews, price" in str(caught.value)
    assert 'rename "reviews" to "review"' in str(caught.value)
