from dataclasses import replace

import numpy as np
import pytest

from headway.evaluation.comparison import compare
from headway.evaluation.scoring import evaluate
from headway.evaluation.writing.judged import Sample, Writing
from headway.report.advice import advise
from headway.report.card import model_card
from headway.report.page import render_report
from headway.tasks import Generate
from headway.training.outcome import Outcome
from tests.report.conftest import ATTACK


@pytest.fixture
def poems(reviews):
    """Return a run that learnt to write; an attack stands in what it wrote."""
    random = np.random.default_rng(0)
    y = random.integers(50, 90, 200).astype(np.float32)
    counted = np.stack([y * 1.6 + random.normal(0, 3, 200), y], axis=1).astype(np.float32)
    answers = np.stack([counted[:, 0] * 0.8, y], axis=1)
    scores = evaluate(y, answers, Generate())
    figures = {"distinct_1": 0.4, "distinct_2": 0.8, "repetition": 0.02, "longest_copy": 9.0, "form_kept": 0.97}
    baseline = evaluate(y, counted, Generate()).metrics
    writing = Writing(
        units="characters",
        lengths=(5, 7),
        yardstick="ngram",
        baseline={**baseline, **figures},
        against=compare(counted, answers, y, Generate(), names=("ngram", "gpt")),
        rows=200,
        written=48,
        samples=(Sample("春眠不觉晓，", f"处处闻啼鸟。{ATTACK}", "夜夜夜夜", "夜来风雨声"), Sample("", "花落", "花")),
        copy="处处闻啼鸟",
        nats=counted[:, 0],
    )
    return replace(
        reviews,
        task="generate",
        target="text",
        labels=(),
        scores=replace(scores, metrics={**scores.metrics, **figures}),
        winner="gpt",
        metric="bits_per_character",
        outcomes=(Outcome("gpt", "won", metrics={"bits_per_character": 1.9}, fit_seconds=200.0, size_mb=4.0),
                  Outcome("ngram", "ok", metrics={"bits_per_character": 2.3}, fit_seconds=4.0)),
        writing=writing, balance={}, label_errors=(), threshold=None, costs=None, calibration=None,
    )  # fmt: skip


@pytest.mark.parametrize(("lang", "words"), [("en", "What it writes"), ("zh", "它写出的文本")])
def test_the_page_shows_both_models_and_what_was_copied(poems, lang, words):
    page = render_report(poems, lang)
    assert words in page
    assert "处处闻啼鸟" in page
    assert "夜夜夜夜" in page
    assert ATTACK not in page
    assert 'id="mistakes"' not in page
    assert "97.0%" in page


def test_the_card_speaks_of_bits(poems):
    card = model_card(poems)
    assert "bits for a character" in card
    assert "每个字符需要" in card


def test_a_model_that_is_not_ahead_gets_advice(poems):
    assert not any("more text" in step for step in advise(poems, "en"))
    behind = replace(poems.writing, against=replace(poems.writing.against, p_value=0.5))
    assert any("more text" in step for step in advise(replace(poems, writing=behind), "en"))
