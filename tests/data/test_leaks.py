import numpy as np
import polars as pl

from headway.data.leaks import find_leak

Y = pl.Series("y", ["a", "b"] * 100)


def test_a_category_that_stands_with_one_answer_only_is_a_certain_leak():
    x = pl.Series("x", ["one", "two", "three", "two"] * 50)
    found = find_leak(x, Y, "category", "classify")
    assert found is not None
    assert found.certain


def test_a_useful_category_is_none():
    random = np.random.default_rng(0)
    x = pl.Series("x", ["one" if (y == "a") ^ (random.random() < 0.1) else "two" for y in Y])
    assert find_leak(x, Y, "category", "classify") is None


def test_a_category_of_many_values_tells_nothing_by_itself():
    assert find_leak(pl.Series("x", [f"v{i}" for i in range(200)]), Y, "category", "classify") is None


def test_a_number_whose_order_separates_the_answers_is_only_suspected():
    x = pl.Series("x", [i + 1000 * (i % 2) for i in range(200)])
    found = find_leak(x, Y, "number", "classify")
    assert found is not None
    assert not found.certain


def test_a_copy_of_a_number_is_certain_and_a_scaled_one_suspected():
    y = pl.Series("y", np.random.default_rng(0).normal(size=200))
    copy, scaled = find_leak(y.alias("x"), y, "number", "regress"), find_leak(y * 2 + 1, y, "number", "regress")
    assert copy is not None
    assert copy.certain
    assert scaled is not None
    assert not scaled.certain
    assert find_leak(y + np.random.default_rng(1).normal(size=200), y, "number", "regress") is None


def test_text_is_not_judged():
    assert find_leak(pl.Series("x", Y), Y, "text", "classify") is None
