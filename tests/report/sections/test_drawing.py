"""The report of a run that draws, from made-up figures."""

import numpy as np
import pytest

from headway.data.dataset import Column
from headway.evaluation.pictures.judged import Drawing, LookedAt
from headway.evaluation.scores import Scores
from headway.report.advice import advise
from headway.report.card import model_card
from headway.report.content import PackageFacts, ReportContent, RowCounts
from headway.report.page import render_report
from headway.report.sections.drawing import choose_looks, encode_png
from headway.report.summary import summarise
from headway.training.outcome import Outcome

METRICS = {
    "frechet_distance": 4.0, "frechet_floor": 0.5, "picture_precision": 0.9, "picture_recall": 0.7,
    "picture_variety": 0.6, "copied_share": 0.2, "class_kept": 0.95,
}  # fmt: skip


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (count, 8, 8, 1)).astype(np.uint8)


@pytest.fixture
def content():
    looks = tuple(LookedAt(step / 9, step * 640, 9.0 - step, 0.5 + step / 20, pictures(20, step)) for step in range(10))
    labels = tuple(f"<b>{number}</b>" for number in range(4)) * 5
    drawing = Drawing(
        0.97, by_groups=False, looks=looks, best=9, drawn=500, samples=pictures(20), sample_labels=labels,
        nearest=pictures(20, 1), ratios=tuple(np.linspace(0.1, 2, 20)),
        notes=("the pictures collapsed to a few; the best generator before that was kept",),
    )  # fmt: skip
    return ReportContent(
        name="digits", task="generate", target="image", labels=("a", "b"), inputs=(Column("image", "image"),),
        rows=RowCounts(100, used=100, train=80, test=20), scores=Scores("generate", 20, METRICS), winner="gan",
        metric="frechet_distance", outcomes=(Outcome("gan", "won", metrics={"frechet_distance": 4.1}),),
        drawing=drawing, package=PackageFacts("package", 2.2, 1.5, 2.0, 80.0, 900.0, {"label": "a"}, draws=True),
    )  # fmt: skip


def test_the_page_tells_all_in_both_languages(content):
    english, chinese = (render_report(content, lang) for lang in ("en", "zh"))
    assert english.count('class="look"') == 6
    assert english.count('class="pair"') == 12
    assert "(kept)" in english
    assert "（采用）" in chinese
    assert "生成的图片坍缩为少数几种" in chinese
    assert "headway generate package --count 16 --label a --seed 1 --out grid.png" in english
    assert "load_image_generator" in english
    assert "<b>0</b>" not in english
    assert "Frechet 距离" in chinese


def test_the_first_the_last_and_the_kept_look_are_shown(content):
    shown = choose_looks(content.drawing)
    assert shown[0] is content.drawing.looks[0]
    assert content.drawing.looks[content.drawing.best] in shown


def test_the_summary_speaks_plainly(content):
    first = summarise(content, "en")[0]
    assert "4.000 away from 20 real ones" in first
    assert "0.5000 away from each other" in first
    assert "Of 100 of its pictures 90 look real" in first


def test_advice_follows_from_the_figures(content):
    advice = " ".join(advise(content, "en"))
    assert "60.0% as varied" in advice
    assert "20.0% of its pictures" in advice
    assert "still getting better" in advice


def test_the_card_says_what_it_draws(content):
    card = model_card(content)
    assert "This model draws pictures like those in image" in card
    assert "该模型绘制" in card


def test_a_picture_is_a_data_url():
    assert encode_png(pictures(1)[0]).startswith("data:image/png;base64,iVBOR")
