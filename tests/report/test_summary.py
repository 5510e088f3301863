from dataclasses import replace

import numpy as np

from headway.evaluation.scoring import evaluate
from headway.report.summary import commonest_label, rare_label, summarise
from headway.tasks import Classify, Regress


def test_the_first_sentence_says_how_many_of_a_hundred_are_right(reviews):
    first, winner, rows = summarise(reviews, "en")
    low, high = (100 * end for end in reviews.scores.intervals["accuracy"])
    right = 100 * reviews.scores.metrics["accuracy"]
    assert first.startswith(f"On 400 rows it had never seen, the model answers {right:.0f} of 100 correctly")
    assert f"between {low:.1f} and {high:.1f}" in first
    # Two candidates of the six were never started.
    assert winner.startswith("ngram_linear won among 4 candidates that were tried in 58 s.")
    assert "80 were copies of others" in rows


def test_chinese_sentences_follow_without_blanks(reviews):
    first, _, rows = summarise(reviews, "zh")
    assert first.startswith("在 400 行从未见过的数据上，模型每 100 行答对")
    assert "。如果总是回答" in first
    assert "80 行是重复" in rows


def test_a_rare_label_is_spoken_of_by_what_is_found(reviews):
    y = np.array([0] * 95 + [1] * 5)
    p = np.eye(2)[np.array([0] * 94 + [1] * 4 + [0] * 2)]
    content = replace(reviews, labels=("fine", "fraud"), scores=evaluate(y, p, Classify(("fine", "fraud"))))
    assert rare_label(content) == "fraud"
    assert commonest_label(content) == ("fine", 0.95)
    assert (
        "Of 100 rows that are “fraud” it finds 60; of 100 rows that it calls “fraud”, 75 are."
        in summarise(content, "en")[0]
    )


def test_numbers_are_spoken_of_by_their_error(prices):
    first, *_ = summarise(prices, "en")
    mae, r2 = (prices.scores.metrics[name] for name in ("mae", "r2"))
    assert f"answers are off by {mae:,.0f} on average" in first
    assert f"It explains {100 * r2:.1f}% of the differences" in first
    assert "Nothing had to be left out." in summarise(prices, "en")[2]


def test_a_model_no_better_than_the_mean_is_not_praised(prices):
    y = np.arange(50.0)
    useless = replace(prices, scores=evaluate(y, np.zeros(50), Regress()))
    assert "no better than always answering the mean" in summarise(useless, "en")[0]
