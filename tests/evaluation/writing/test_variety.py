import pytest

from headway.evaluation.writing.variety import distinct, repetition, units_of


def test_units_are_words_and_single_characters_of_chinese():
    assert units_of("Hello, wörld 春眠不觉晓2024!") == ["hello", "wörld", "春", "眠", "不", "觉", "晓", "2024"]


def test_distinct():
    assert distinct(["a b a b", "a b"], 1) == pytest.approx(2 / 6)
    assert distinct(["a b a b", "a b"], 2) == pytest.approx(2 / 4)
    assert distinct(["", "a"], 2) == 0


def test_repetition():
    assert repetition(["a b c d e f"]) == 0
    assert repetition(["a a a a a a a a"]) == pytest.approx(4 / 5)
    assert repetition(["a b c d", "a b c d"]) == 0
    assert repetition([""]) == 0
