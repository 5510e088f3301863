import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.models.family import Examples, discover
from headway.package.opening import open_graph
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

pytest.importorskip("torch")

QUICK = Recipe(epochs=8, learning_rate=5e-3)
TASK = Classify(("bad", "good"))
NAMES = ("bag", "lstm", "text_cnn")


def reviews(n, seed):
    """Two text columns; the order of words matters ("not good" is bad), and some texts are long, empty or missing."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, n)
    body = [("房间很好 very clean " if c else "房间不好 very dirty ") * int(generator.integers(1, 6)) for c in y]
    title = [None if generator.random() < 0.3 else ("", "hello " * 40)[generator.integers(2)] for _ in y]
    return Examples(pl.DataFrame({"title": title, "body": body}), (Column("title", "text"), Column("body", "text")), y)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_learns_from_two_columns_and_ships_as_trained(name):
    family = discover().load(name)
    model = family.fit(reviews(240, 0), None, TASK, QUICK, settings=None, seed=0, clock=Clock())
    test = reviews(60, 1)
    answers = model.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.95
    graph = model.graph()
    assert [feed.columns[0] for feed in graph.feeds] == ["title", "body"]
    assert len(graph.files) == 1
    shipped = open_graph(graph).run({name: test.rows[name] for name in test.rows.columns})
    np.testing.assert_allclose(shipped, answers, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_padding_does_not_change_an_answer(name):
    family = discover().load(name)
    model = family.fit(reviews(100, 0), None, TASK, Recipe(epochs=1), settings=None, seed=0, clock=Clock())
    rows = reviews(12, 1).rows
    predictor = open_graph(model.graph())
    together = predictor.run({name: rows[name] for name in rows.columns})
    alone = np.concatenate([predictor.run({name: rows[name][i : i + 1] for name in rows.columns}) for i in range(12)])
    np.testing.assert_allclose(alone, together, atol=1e-5)
