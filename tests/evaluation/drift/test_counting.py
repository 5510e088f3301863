import numpy as np
import pytest

from headway.evaluation.drift.counting import cell_of, count_answers, count_inputs, count_mistakes, measure


def test_every_row_is_counted_once_in_every_view(reference, draw):
    make_rows, _ = draw
    rows = make_rows(np.random.default_rng(1), 50)
    rows["review"][0], rows["price"][1], rows["city"][2] = None, float("nan"), ""
    counts = count_inputs(reference, rows)
    assert {key: int(each.sum()) for key, each in counts.items()} == dict.fromkeys(counts, 50)
    assert counts["price", "range"][-1] == counts["review", "length"][-1] == counts["city", "value"][-1] == 1


def test_a_column_that_is_not_there_is_missing(reference, draw):
    make_rows, _ = draw
    rows = make_rows(np.random.default_rng(1), 50)
    del rows["price"]
    assert count_inputs(reference, rows)["price", "range"][-1] == 50


def test_new_categories_are_others(reference):
    counts = count_inputs(reference, {"city": ["深圳"] * 40})
    view = next(view for view in reference.views if view.aspect == "value")
    assert counts["city", "value"][view.cells.index("other")] == 40


def test_odd_cells_break_nothing(reference):
    rows = {"review": [5, b"x", "\ud800", ""], "price": ["abc", "1,000", None, True], "city": [1, 2.5, True, None],
            "day": ["yesterday", "2026-01-01", None, ""]}  # fmt: skip
    counts = count_inputs(reference, rows)
    assert counts["price", "range"][-1] == 2


def test_answers_and_mistakes(reference):
    counts = count_answers(reference, ["好评", "差评", "new"], [0.5, 0.9, 0.99])
    assert counts["", "answer"].sum() == 3
    assert count_answers(reference, ["好评"], None).keys() == {("", "answer")}
    assert count_mistakes(reference, ["好评", "差评"], ["好评", "好评"])["", "mistakes"].tolist() == [1, 1]


def test_bins_and_names():
    assert cell_of([0.0, 1.0], (), np.array([-1, 0, 0.5, 1, np.nan])).tolist() == [0, 1, 1, 2, 3]
    assert cell_of((), ("a", "other", "missing"), np.array(["a", "b", ""])).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "language"),
    [("房间很好", "Chinese"), ("good room", "Latin letters"), ("Хорошо", "other"), ("123", "other")],
)
def test_languages(text, language):
    assert measure("text", [text], None)["language"].tolist() == [language]


def test_pictures_are_measured():
    white, black = np.full((8, 8, 3), 255, np.uint8), np.zeros((8, 8, 3), np.uint8)
    values = measure("image", [white, black, None], None)
    assert values["brightness"][:2].tolist() == [1.0, 0.0]
    assert np.isnan(values["brightness"][2])
