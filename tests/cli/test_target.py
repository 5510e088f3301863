import polars as pl
import pytest

from headway.cli.target import check_target, guess_target
from headway.errors import DataError


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        (["text", "label"], "label"),
        (["Label", "text"], "Label"),
        (["评论", "标签", "编号"], "标签"),
        (["text", "sentiment_label", "n"], "sentiment_label"),
        (["y", "x1", "x2"], "y"),
    ],
)
def test_a_name_that_says_so(columns, target):
    rows = pl.DataFrame({name: ["a", "b", "c"] for name in columns})
    assert guess_target(rows) == (target, "its name says so")


def test_a_name_that_sounds_like_it():
    rows = pl.DataFrame({"rooms": [1, 2, 3], "price": [1.0, 2.0, 3.5]})
    assert guess_target(rows)[0] == "price"


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        ({"TX_FRAUD": [0, 1, 0], "TX_FRAUD_SCENARIO": [0, 1, 2]}, "TX_FRAUD"),
        ({"TX_FRAUD_SCENARIO": [0, 1, 2], "TX_FRAUD": [0, 1, 0]}, "TX_FRAUD"),
        ({"price": [1.0, 2.0, 3.5], "price_per_room": [1.0, 2.5, 3.0], "is_new": [0, 1, 0]}, "price"),
        ({"总价": [1.0, 2.0, 3.5], "面积": [1.0, 2.5, 3.0]}, "总价"),
        ({"销量": [1, 2, 3], "月份": [1, 2, 3]}, "销量"),
        ({"价格": [1, 2, 3], "月份": [1, 2, 3]}, "价格"),
        ({"Outcome": [1, 0, 1], "Age": [1, 2, 3]}, "Outcome"),
        ({"fraud": [0, 0, 0], "fraud_kind": [0, 1, 1]}, "fraud_kind"),
    ],
)
def test_the_plainest_of_several_names(columns, target):
    assert guess_target(pl.DataFrame(columns))[0] == target


def test_else_the_last_column_with_few_values():
    rows = pl.DataFrame({"a": list("abab"), "b": list("xxyy"), "c": list("1234")})
    target, reason = guess_target(rows)
    assert target == "b"
    assert "a guess" in reason


def test_else_the_last_column():
    rows = pl.DataFrame({"a": [1.5, 2.5, 3.5], "c": [7.5, 8.5, 9.5]})
    assert guess_target(rows)[0] == "c"


def test_one_column_is_not_enough():
    with pytest.raises(DataError, match="only one column"):
        guess_target(pl.DataFrame({"a": [1]}))


def test_a_wanted_column_that_is_not_there():
    rows = pl.DataFrame({"label": [1], "text": ["a"]})
    assert check_target(rows, "label") == "label"
    with pytest.raises(DataError, match='did you mean "label"'):
        check_target(rows, "lable")


def test_a_number_of_rows_is_not_guessed_while_something_else_is_there():
    rows = pl.DataFrame({"title": list("abcd"), "tags": list("efgh"), "id": [11, 7, 3, 9]})
    assert guess_target(rows)[0] == "tags"
    assert guess_target(rows.select("id").with_columns(order_no=pl.col("id")))[0] == "order_no"


def test_a_column_of_one_value_is_guessed_only_where_nothing_else_is_there():
    answers = [f"answer {number % 77}" for number in range(200)]
    rows = pl.DataFrame({"question": [f"q {n}" for n in range(200)], "answer": answers, "source": ["web"] * 200})
    assert guess_target(rows)[0] == "answer"
    assert guess_target(rows.select(pl.lit("a").alias("a"), "source"))[0] == "source"
