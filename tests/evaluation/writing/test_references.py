import pytest

from headway.evaluation.writing.references import chrf, rouge_l


def test_equal_texts_score_full_and_strangers_nothing():
    assert chrf(["the cat sat"], ["the cat sat"]) == pytest.approx(100)
    assert rouge_l(["the cat sat"], ["the cat sat"]) == 1
    assert chrf(["abc"], ["xyz"]) == 0
    assert rouge_l(["abc", ""], ["xyz", "a"]) == 0


def test_chrf_by_hand():
    # Characters: 2 of 3 hit both ways; pairs: 1 of 2; triples: none of one.
    mean = (2 / 3 + 1 / 2 + 0) / 3
    assert chrf(["abc"], ["abd"]) == pytest.approx(100 * mean)


def test_rouge_counts_characters_of_chinese():
    assert rouge_l(["我喜欢音乐"], ["我爱音乐"]) == pytest.approx(2 * 3 / 9)
