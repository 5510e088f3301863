import re

import pytest

from headway.report.translation import translate_error
from headway.runtime.feeds.lacking import missing_columns, nearest_names


def problem(wanted, given):
    return missing_columns(wanted, given).problems[0]


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("Monthly Spend", "monthly_spend"),
        ("Monthly Spend", "MONTHLY SPEND"),
        ("Monthly Spend", "Monthly-spend "),
        ("Monthly Spend", "spend"),
        ("评论", "评轮"),
        ("评论", " 评 论"),
        ("金额(元)", "金额（元）"),
        ("amount", "amuont"),
    ],
)
def test_a_column_of_nearly_that_name_is_to_be_renamed(name, there):
    assert problem([name, "id"], ["id", there, "zzzz"]).fix == f"did you mean {there!r}? Rename it to {name!r}"


def test_all_columns_that_are_missing_are_told_at_once():
    told = problem(["Age", "City", "note"], ["age", "city ", "note"])
    assert told.what == "the columns 'Age', 'City' are missing"
    assert told.fix == "did you mean these? Rename: 'age' → 'Age', 'city ' → 'City'"


def test_what_is_nowhere_is_to_be_added_and_what_is_near_to_be_renamed():
    told = problem(["Age", "spend", "note"], ["age", "note"])
    assert told.fix.startswith("rename: 'age' → 'Age'; add 'spend', or rename what holds it under another name")


def test_rows_of_another_table_are_told_so():
    assert "do these rows belong to this model?" in problem(["age", "city"], ["x", "y"]).fix
    assert "add 'age'" in problem(["age"], ["x", "y"]).fix


def test_a_column_that_the_model_reads_stands_for_no_other():
    assert nearest_names(["visits2"], []) == {}
    assert "add 'visits2'" in problem(["visits", "visits2"], ["visits"]).fix


def test_each_name_is_taken_once():
    assert nearest_names(["amount", "Amount 2"], ["amount2"]) == {"Amount 2": "amount2"}


def test_long_lists_are_cut_and_say_so():
    assert problem(["a"], [f"c{n}" for n in range(25)]).got.endswith("'c19' and 5 more")
    assert problem(["a"], []).got == "no columns"


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (["1", "2"], ["3"]),
        (["1", "20", "3"], ["二十", "3"]),
        (["AB", "BC", "3"], ["ab", "3"]),
        (["AB", "BC", "3"], ["ab", "bc"]),
        (["AB"], ["ab"]),
        (["1"], []),
        (["1"], [str(n) for n in range(10, 40)]),
    ],
)
def test_all_of_it_is_told_in_chinese(wanted, given):
    told = problem(wanted, given)
    for part in (told.what, told.expected, told.got, told.fix):
        assert re.search("[a-z]{3}", translate_error(part, "zh")) is None, part
