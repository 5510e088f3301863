import re
from dataclasses import replace

import pytest

from headway.report.content import Bought, OnlyRight
from headway.report.page import render_report
from headway.report.sections.bought import show_bought
from headway.training.outcome import Outcome

ENCODER = Outcome("encoder_frozen", "won", metrics={"accuracy": 0.93}, fit_seconds=82.0, latency_p50_ms=3.1, size_mb=26)


@pytest.fixture
def content(reviews):
    attack = "<script>alert('x')</script>"
    bought = Bought(
        "ngram_linear", "encoder_frozen", "accuracy", (0.87, 0.93), (0.04, 0.08), "encoder_frozen", 1000, (12, 72),
        (OnlyRight({"review": f"不便宜{attack}"}, "差评", "好评", "差评"),),
        (("encoder_frozen", True), ("ngram_linear", False), ("baseline", False)),
    )  # fmt: skip
    return replace(reviews, outcomes=(*reviews.outcomes, ENCODER), bought=bought)


def test_gain_stands_beside_cost(content):
    shown = show_bought(content.bought, content, "en")
    assert "87.0%" in shown
    assert "93.0%" in shown
    assert "× 10.0" in shown
    assert "72 rows were answered right with it only, 12 without it only" in shown
    assert "不便宜" in shown
    assert "<script>" not in shown


@pytest.mark.parametrize(
    ("better", "words"), [("ngram_linear", "not worth it"), (None, "No clear gain"), ("encoder_frozen", "goes from")]
)
def test_the_verdict_says_what_the_test_says(content, better, words):
    assert words in show_bought(replace(content.bought, better=better), content, "en")


def test_the_page_has_the_section_only_where_a_base_took_part(content, reviews):
    assert "大模型带来了什么" in render_report(content, "zh")
    assert "大模型带来了什么" not in render_report(reviews, "zh")


def test_the_leaderboard_is_seen_with_and_without_it(content):
    shown = show_bought(content.bought, content, "en")
    _, table = shown.split("The leaderboard with and without it</h3>")
    lines = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in table.split("<tr>")[2:5]]
    names = [re.sub("<[^>]*>", "", line[0]) for line in lines]
    assert names == ["encoder_frozen", "ngram_linear", "baseline"]
    assert [line[2:4] for line in lines] == [["1", "–"], ["2", "1"], ["3", "2"]]
    assert "Mixed with each other" not in shown
    assert "混合可达 91.0%" in show_bought(replace(content.bought, mixed_without=0.91), content, "zh")
