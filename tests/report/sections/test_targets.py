from dataclasses import replace

from headway.evaluation.scores import Scores
from headway.report.advice import advise
from headway.report.card import model_card
from headway.report.content import ReportContent, RowCounts
from headway.report.page import render_report
from headway.report.sections.targets import show_candidates_by_target, show_targets
from headway.report.summary import summarise
from headway.training.outcome import Outcome

TOPIC = Scores(
    "classify",
    80,
    {"accuracy": 0.9, "balanced_accuracy": 0.9},
    {"accuracy": (0.85, 0.94)},
    per_class={label: {"precision": 0.9, "recall": 0.9, "f1": 0.9, "support": 40.0} for label in "ab"},
)
PRICE = Scores("regress", 60, {"r2": -0.2, "mae": 3.0, "median_absolute_error": 2.0}, {"r2": (-0.4, 0.1)})
METRICS = {"mean_score": 0.35, "accuracy:topic": 0.9, "r2:price": -0.2}
WHOLE = Scores("several", 100, METRICS, {"mean_score": (0.3, 0.4)}, targets={"topic": TOPIC, "price": PRICE})
OUTCOMES = (
    Outcome("linear", "won", metrics=METRICS, latency_p50_ms=1.0),
    Outcome("baseline", "ok", metrics={"mean_score": 0.3, "accuracy:topic": 0.5, "r2:price": 0.1}, latency_p50_ms=0.1),
    Outcome("trees", "skipped", "needs more time"),
)


def content():
    whole = ReportContent(
        "tickets", "several", "topic, price", (), (), RowCounts(500), WHOLE, "linear", "mean_score", OUTCOMES
    )
    topic = replace(whole, task="classify", target="topic", labels=("a", "b"), scores=TOPIC, metric="accuracy")
    price = replace(whole, task="regress", target="price", scores=PRICE, metric="r2")
    return replace(whole, parts=(replace(topic, is_part=True), replace(price, is_part=True)))


def test_every_target_stands_with_its_figure_and_the_mean_below():
    shown = show_targets(content(), "en")
    for words in ("topic", "90.0%", "85.0% – 94.0%", "price", "-0.200", "Mean of all targets", "0.350"):
        assert words in shown


def test_the_best_candidate_of_each_target_is_marked():
    shown = show_candidates_by_target(content(), "en")
    assert "<strong>90.0%</strong>" in shown
    assert "<strong>0.100</strong>" in shown
    assert "trees" not in shown
    assert show_candidates_by_target(content().parts[0], "en") is None


def test_the_summary_begins_with_the_mean_and_goes_on_with_each_target():
    first = summarise(content(), "en")[0]
    assert first.startswith(
        "On 100 rows it had never seen, the model answers 2 targets at once: the mean score is 0.350"
    )
    assert "“topic”: On 80 rows" in first
    assert "“price”: On 60 rows" in first


def test_advice_names_the_target_that_it_is_about():
    assert any(step.startswith("“price”: It is no better than") for step in advise(content(), "en"))


def test_page_and_card_are_whole_in_both_languages():
    for lang in ("en", "zh"):
        assert "price" in render_report(content(), lang)
    card = model_card(content())
    assert "Accuracy of “topic”" in card
    assert "“topic”的准确率" in card
