import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.modalities.text.characters import read_texts
from headway.models.family import Examples
from headway.models.ngram_linear import fitting
from headway.models.ngram_linear.fitting import estimate, fit
from headway.package.opening import open_graph
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe

TASK = Classify(("bad", "good"))


def reviews(n, seed):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, n)
    title = [("差", "好")[c] + "评" if generator.random() < 0.8 else "" for c in y]
    body = [f"the {('dirty', 'clean')[c]} room {generator.integers(50)}" for c in y]
    rows = pl.DataFrame({"title": title, "body": body, "stars": y.astype(float)})
    inputs = (Column("title", "text"), Column("body", "text"), Column("stars", "number"))
    return Examples(rows, inputs, y)


def fitted(recipe=None, **options):
    given = {"valid": reviews(60, 1), "settings": None, "seed": 0, "clock": Clock()} | options
    return fit(reviews(200, 0), task=TASK, recipe=recipe or Recipe(), **given)


def test_all_text_columns_are_read_and_no_other():
    model = fitted()
    assert [feed.name for feed in model.graph().feeds] == ["chars:title", "chars:body"]
    test = reviews(100, 2)
    assert (model.predict(test.rows).argmax(1) == test.y).mean() > 0.97


def test_validation_sets_the_temperature():
    model = fitted()
    confident = model.predict(reviews(100, 2).rows).max(1).mean()
    assert confident > 0.95
    assert set(model.settings) == {"words", "strength", "temperature"}


def test_what_the_search_took_is_told_apart():
    assert fitted().searching_seconds > 0
    assert fitted(settings={"strength": 1.0}).searching_seconds == 0


def test_a_word_weight_of_zero_leaves_the_words_out():
    model = fitted(settings={"words": 0.0}, valid=None)
    assert {block.vocabulary.unit for block in model.blocks} == {"characters"}


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "focal"])
def test_other_losses_ship_as_trained(loss):
    model = fitted(Recipe(loss=loss))
    rows = reviews(30, 2).rows
    shipped = open_graph(model.graph()).run({name: rows[name] for name in ("title", "body")})
    np.testing.assert_allclose(shipped, model.predict(rows), atol=1e-5)


def test_numbers_are_predicted_from_text():
    train, test = reviews(200, 0), reviews(50, 1)
    inputs = train.inputs[:2]
    y = (train.y * 4 + 1).astype(np.float32)
    model = fit(Examples(train.rows, inputs, y), None, Regress(), Recipe(), settings=None, seed=0, clock=Clock())
    assert np.abs(model.predict(test.rows) - (test.y * 4 + 1)).mean() < 0.5


def rows_probed(monkeypatch, seconds):
    """Return how many rows a probe of 1,000 reads at once, where reading them may take so many seconds."""
    read = []

    def reading(rows, column):
        read.append(rows.height)
        return read_texts(rows, column)

    monkeypatch.setattr(fitting, "_READING_SECONDS", seconds)
    monkeypatch.setattr(fitting, "read_texts", reading)
    found = estimate(reviews(1_000, 0), TASK, Recipe(), seed=0)
    assert found.seconds > 0
    assert found.memory_mb > 60
    return sorted(set(read))


def test_a_machine_without_time_is_probed_with_few_rows(monkeypatch):
    assert rows_probed(monkeypatch, 0.0) == [50]


def test_a_quick_machine_is_probed_with_more(monkeypatch):
    assert rows_probed(monkeypatch, 1e9) == [50, 400]


def test_an_estimate_reads_no_more_rows_than_there_are():
    assert estimate(reviews(20, 0), TASK, Recipe(), seed=0).seconds > 0
