import numpy as np
import polars as pl
import pytest

from headway.data.dataset import Column
from headway.evaluation.slices import detect_languages, find_slices

ROWS = 1000


def lose(where: np.ndarray, seed: int = 0, *, here: float = 0.4, there: float = 0.1) -> np.ndarray:
    """Return 0/1 losses that are likelier `where` is true."""
    return (np.random.default_rng(seed).random(len(where)) < np.where(where, here, there)).astype(float)


def test_the_weak_category_is_found_with_its_figures():
    city = np.array(["Beijing", "Paris", "Lagos", "Lima"])[np.arange(ROWS) % 4]
    loss = lose(city == "Lima")
    found = find_slices(pl.DataFrame({"city": city}), (Column("city", "category"),), loss, classify=True)
    assert [(each.column, each.aspect, each.condition, each.rows) for each in found] == [("city", "value", "Lima", 250)]
    assert found[0].score == pytest.approx(1 - loss[city == "Lima"].mean())
    assert found[0].overall == pytest.approx(1 - loss.mean())
    assert found[0].p_value < 0.001


def test_long_texts_and_the_other_language_are_found():
    texts = [("很好" * 40 if i % 5 == 0 else "nice room " * 2) + str(i) for i in range(ROWS)]
    loss = lose(np.arange(ROWS) % 5 == 0)
    found = find_slices(pl.DataFrame({"t": texts}), (Column("t", "text"),), loss, classify=True)
    assert {(each.aspect, each.condition) for each in found} >= {("language", "zh")}
    assert any(each.aspect == "length" and each.condition.startswith(">=") for each in found)


def test_ranges_of_numbers_and_missing_cells_are_found():
    x = np.linspace(0, 100, ROWS)
    rows = pl.DataFrame({"x": [None if i % 10 == 0 else value for i, value in enumerate(x)]})
    loss = np.maximum(lose(x > 85), lose(np.arange(ROWS) % 10 == 0, here=0.6))
    found = find_slices(rows, (Column("x", "number"),), loss, classify=True)
    assert [(each.aspect, each.condition) for each in found] == [("missing", ""), ("range", ">= 80.02")]


def test_periods_of_time_are_found_for_regression():
    days = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2028, 9, 26), "1d", eager=True)
    rng = np.random.default_rng(0)
    error = np.abs(rng.normal(size=ROWS)) * np.where(np.arange(ROWS) < 200, 3, 1)
    found = find_slices(pl.DataFrame({"day": days}), (Column("day", "date"),), error, classify=False)
    assert [each.condition for each in found] == ["< 2026-07-19"]
    assert found[0].score == pytest.approx(error[:199].mean(), rel=0.02)


def test_chance_is_not_reported():
    false_alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = pl.DataFrame({"a": rng.choice(list("abcdefghijklmnopqrst"), ROWS), "x": rng.normal(size=ROWS)})
        columns = (Column("a", "category"), Column("x", "number"))
        false_alarms += bool(find_slices(rows, columns, lose(np.zeros(ROWS, bool), seed), classify=True))
    # 5% of 40 are 2; six or more would come up once in a hundred times.
    assert false_alarms < 6


def test_small_parts_empty_columns_and_perfect_answers_give_nothing():
    rows = pl.DataFrame({"a": ["x"] * 15 + ["y"] * 85, "b": [None] * 100, "d": [None] * 100}).cast(
        {"b": pl.Float64, "d": pl.Datetime}
    )
    columns = (Column("a", "category"), Column("b", "number"), Column("d", "date"), Column("gone", "text"))
    loss = np.array([1.0] * 15 + [0.0] * 85)
    assert find_slices(rows, columns, loss, classify=True) == ()
    assert find_slices(rows, columns, loss * 0, classify=True) == ()
    assert find_slices(rows, columns, loss * 0, classify=False) == ()


def test_languages_are_told_by_their_letters():
    texts = pl.Series(
        "t", ["房间很大", "ok, 房间很大", "A nice room!", "ありがとう", "Спасибо", "123", "", "감사합니다"]
    )
    expected = ["zh", "zh", "en", "other", "other", "other", "other", "other"]
    assert detect_languages(texts).to_list() == expected
