import string

import pytest

from headway.evaluation.metrics import metric_names
from headway.report.translation import name_metric, read_words
from headway.report.words import explain_terms, speak
from headway.tasks import Classify, Generate, Part, Regress, Several

SEVERAL = Several((Part("price", Regress(), "r2"), Part("topic", Classify(("a", "b")), "accuracy")))


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("section", ["sentences", "metrics", "glossary", "told"])
def test_every_text_is_there_in_both_languages_with_the_same_places(section):
    for key, texts in read_words()[section].items():
        assert set(texts) == {"en", "zh"}, key
        assert places(texts["en"]) == places(texts["zh"]), key


def test_chinese_texts_use_chinese_punctuation():
    for key, texts in read_words()["sentences"].items():
        if any("一" <= letter <= "鿿" for letter in texts["zh"]):
            assert not set(texts["zh"]) & set(",;?!"), key


def test_every_metric_has_a_name_in_both_languages():
    for task in (Classify(("a", "b")), Regress(), Generate(), SEVERAL):
        for metric in metric_names(task):
            assert name_metric(metric, "zh") != metric
            assert name_metric(metric, "en") != metric
    assert name_metric("rmse:price", "en") == "Root mean squared error of “price”"
    assert name_metric("coverage_80", "zh") == "80% 区间覆盖率"
    assert name_metric("something_new", "en") == "something_new"


def test_terms_are_explained():
    assert ("召回率", "真正属于某标签的行中，被找出的比例。") in explain_terms("zh")


def test_a_sentence_is_filled():
    assert speak("zh")("between", low="1", high="2") == "95% 置信区间：1 至 2"
