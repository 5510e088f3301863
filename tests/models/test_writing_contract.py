"""Every family that writes keeps the promises of `headway.models.family`."""

import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.models.decoder_graph import judge_graph
from headway.models.family import Examples, discover
from headway.tasks import Generate
from headway.tasks.recipe import Recipe

CARDS = discover().cards
NAMES = [name for name, card in CARDS.items() if "generate" in card.tasks and "text" in card.modalities]
TEXTS = ["我喜欢听音乐。", "The cat sat on the mat.", "🎉 mixed 混合", "a"] * 15
QUICK = Recipe(epochs=1, batch_size=4)


def examples(form, rows=40):
    columns = {"prompt": ["问题" if n % 2 else None for n in range(rows)]} if form == "answers" else {}
    frame = pl.DataFrame({**columns, "text": TEXTS[:rows]})
    return Examples(
        frame, tuple(Column(name, "text") for name in frame.columns), np.ones(rows, np.float32)
    )  # fmt: skip


def fitted(name, form, **options):
    wishes = {"valid": examples(form, 8), "settings": None, "seed": 1, "clock": Clock(), **options}
    return discover().load(name).fit(examples(form), task=Generate(form), recipe=QUICK, **wishes)


@pytest.fixture(scope="module", params=[(name, form) for name in NAMES for form in ("stream", "documents", "answers")])
def trained(request):
    name, form = request.param
    if CARDS[name].missing() is not None:
        pytest.skip(f"{name} needs {CARDS[name].missing()}")
    return name, form, fitted(name, form)


def test_texts_never_seen_have_finite_likelihoods(trained):
    _, form, model = trained
    fresh = examples(form, 5).rows.with_columns(text=pl.Series(["全新的字", "", "\x00", "ß" * 700, "a"]))
    answers = model.predict(fresh)
    assert answers.dtype == np.float32
    assert answers.shape == (5, 2)
    assert np.isfinite(answers).all()
    assert (answers[:, 0] >= 0).all()


def test_the_same_seed_gives_the_same_model(trained):
    name, form, model = trained
    rows = examples(form, 12).rows
    assert (model.predict(rows) == fitted(name, form).predict(rows)).all()
    assert (model.predict(rows) == fitted(name, form, valid=None, settings=model.settings).predict(rows)).all()


def test_what_ships_finds_texts_as_likely(trained):
    _, form, model = trained
    graph = model.graph()
    if graph is None:
        pytest.skip("a yardstick that does not ship")
    rows = examples(form, 12).rows
    np.testing.assert_allclose(judge_graph(graph, rows), model.predict(rows), rtol=1e-4, atol=1e-2)


def test_it_says_what_it_will_cost(trained):
    name, form, _ = trained
    estimate = discover().load(name).estimate(examples(form), Generate(form), QUICK, seed=0)
    assert 0 < estimate.seconds < 600
    assert 0 < estimate.memory_mb < 4096
