from dataclasses import replace

import numpy as np
import pytest

from headway.evaluation.scoring import evaluate
from headway.report.advice import advise, name_slice
from headway.report.words import speak
from headway.tasks import Classify
from headway.training.outcome import Outcome


def test_what_helps_most_comes_first(reviews):
    advice = advise(reviews, "en")
    assert advice[0].startswith("Look at the 1 labels")
    assert any("Add examples of the rarest labels" in each for each in advice)
    assert any("review: ≥ 402 characters" in each for each in advice)
    assert any(each.startswith("lstm scores better (88.0%)") for each in advice)
    assert any(each.startswith("encoder could not compete because the budget") for each in advice)
    assert any(each.startswith("cnn did not start because an extra") for each in advice)
    assert len(advice) <= 6


def test_a_candidate_that_lacked_memory_is_not_told_to_want_time(prices):
    reason = "needs about 1482 MB, 848 MB are free in the budget"
    large = Outcome("encoder_finetune", "skipped", reason, estimated_seconds=40.0)
    told = advise(replace(prices, outcomes=(*prices.outcomes, large)), "en")
    assert told == [
        "encoder_finetune did not start because memory was too small; raise budget.memory to let them compete."
    ]


@pytest.mark.parametrize(
    ("lang", "begins", "ends"),
    [
        (
            "en",
            "lora had too little time (32 of 500 pairs",
            "; 16 of 32 pairs were read, as the time allowed): give the run more.",
        ),
        ("zh", "lora 时间不足（按时间所容，用于学习的 500 对", "；按时间所容，32 对中读了 16 对）：请增加运行时间。"),
    ],
)
def test_what_a_training_had_no_time_for_is_named(prices, lang, begins, ends):
    reason = (
        "32 of 500 pairs to learn from were compared, as the time allowed; 2 of 9 conversations are long; "
        "16 of 32 pairs were read, as the time allowed"
    )
    content = replace(prices, winner="lora", outcomes=(Outcome("lora", "won", reason, metrics={prices.metric: 1.0}),))
    (told,) = advise(content, lang)
    assert told.startswith(begins)
    assert told.endswith(ends)


def test_nothing_to_do_is_said(prices):
    assert advise(prices, "en") == [
        "Nothing urgent. Try it on new data, and compare with this run before replacing it."
    ]


def test_guessing_is_named_first(reviews):
    y = np.array([0, 1] * 50)
    labels = ("a", "b")
    guess = replace(reviews, labels=labels, scores=evaluate(y, np.tile([0.6, 0.4], (100, 1)), Classify(labels)))
    advice = advise(guess, "en")
    assert "no better than always giving the commonest answer" in advice[0]
    part = replace(guess, scores=replace(guess.scores, slices=reviews.scores.slices))
    assert advise(part, "en") == advice


def test_where_only_the_baseline_had_time_the_budget_is_named_and_not_the_data(intents):
    labels = ("a", "b", "c")
    scores = evaluate(np.arange(90) % 3, np.tile([0.4, 0.3, 0.3], (90, 1)), Classify(labels))
    outcomes = (
        Outcome("baseline", "won", metrics=scores.metrics),
        Outcome("ngram_linear", "failed", "the time ended before the n-grams were counted\n  next: raise budget.time"),
        Outcome("bag", "skipped", "no time is left in the budget to find out what it needs"),
    )
    guess = replace(intents, labels=labels, scores=scores, balance={}, outcomes=outcomes, winner="baseline")
    assert advise(guess, "en")[0].startswith("ngram_linear, bag could not compete because the budget was too small")
    blamed = ("commonest answer", "is taken for")
    assert not any(words in each for words in blamed for each in advise(guess, "en"))
    assert "commonest answer" in advise(replace(guess, outcomes=outcomes[:1]), "en")[0]


def test_two_labels_taken_for_each_other_are_named(intents):
    y = np.repeat(np.arange(3), 20)
    decided = y.copy()
    decided[:6] = 1
    labels = ("x", "y", "z")
    scores = evaluate(y, np.eye(3)[decided], Classify(labels))
    content = replace(intents, labels=labels, scores=scores, balance={})
    assert "“x” is taken for “y” in 6 test rows" in advise(content, "en")[0]


def test_slices_are_named_in_both_languages(reviews):
    names = [[name_slice(part, speak(lang)) for part in reviews.scores.slices] for lang in ("en", "zh")]
    assert names[0] == [
        "review: ≥ 402 characters",
        "review: Chinese text",
        "city = Lima",
        "price ≥ 10, < 20",
        "price: missing",
    ]
    assert names[1][:2] == ["review：长度 ≥ 402 字符", "review：中文文本"]
