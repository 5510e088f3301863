import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.models.encoder_frozen import fitting
from headway.models.encoder_frozen.bending import Bend
from headway.models.encoder_frozen.fitting import fit
from headway.models.encoder_frozen.voting import Vote
from headway.models.family import Examples, Support
from headway.package.opening import open_graph
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from tests.encoders.tiny import tiny_base

WORDS = ("awful", "lovely", "usual")
TASK = Classify(WORDS)


@pytest.fixture(scope="module")
def support(tmp_path_factory):
    return Support(base=tiny_base(tmp_path_factory.mktemp("base") / "bert"))


def reviews(rows, seed, support, columns=("text",)):
    generator = np.random.default_rng(seed)
    y = np.arange(rows) % 3
    texts = {
        name: [" ".join(generator.permutation([WORDS[c], *generator.choice(["the", "room", "was"], 2)])) for c in y]
        for name in columns
    }
    return Examples(pl.DataFrame(texts), tuple(Column(name, "text") for name in columns), y, support=support)


def fitted(train, task=TASK, **options):
    return fit(train, None, task, Recipe(), seed=0, clock=Clock(), **{"settings": None, **options})


@pytest.mark.parametrize("columns", [("text",), ("title", "body")])
def test_the_words_of_the_labels_teach_where_rows_are_few(support, columns):
    train, test = reviews(12, 0, support, columns), reviews(60, 1, support, columns)
    model = fitted(train)
    mute = fitted(train, Classify(("1", "2", "3")))
    assert model.settings["words"] > 0
    assert mute.settings["words"] == 0
    accuracies = [(each.predict(test.rows).argmax(1) == test.y).mean() for each in (model, mute)]
    assert accuracies[0] >= accuracies[1]
    shipped = open_graph(model.graph()).run(test.rows.to_dict())
    np.testing.assert_allclose(shipped, model.predict(test.rows), atol=1e-4)


def test_a_description_speaks_for_a_label_that_is_no_word(support):
    described = Classify(("1", "2", "3"), descriptions=dict(zip(("1", "2", "3"), WORDS, strict=True)))
    train, test = reviews(12, 0, support), reviews(30, 1, support)
    np.testing.assert_allclose(fitted(train, described).predict(test.rows), fitted(train).predict(test.rows), atol=1e-6)


def test_many_rows_are_learnt_from_without_words(support):
    model = fitted(reviews(210, 0, support))
    assert model.settings["words"] == 0
    assert model.lens is None


def test_settings_are_replayed(support):
    train = reviews(12, 0, support)
    model = fitted(train)
    again = fitted(train, settings=model.settings)
    assert again.settings == model.settings
    np.testing.assert_allclose(again.predict(train.rows), model.predict(train.rows), atol=1e-6)


def test_rows_that_vote_are_shipped_and_replayed(support, monkeypatch):
    vote = Vote(0.5, 20.0, 0.7)
    train, test = reviews(12, 0, support), reviews(30, 1, support)
    monkeypatch.setattr(fitting, "choose_vote", lambda *_, **__: None)
    plain = fitted(train)
    monkeypatch.setattr(fitting, "choose_vote", lambda *_, **__: vote)
    model = fitted(train)
    assert Vote.given(model.settings) == vote
    assert not np.allclose(model.predict(test.rows), plain.predict(test.rows), atol=1e-3)
    shipped = open_graph(model.graph()).run(test.rows.to_dict())
    np.testing.assert_allclose(shipped, model.predict(test.rows), atol=1e-4)
    again = fitted(train, settings=model.settings)
    np.testing.assert_allclose(again.predict(test.rows), model.predict(test.rows), atol=1e-6)


@pytest.mark.parametrize(("loss", "ships"), [(0.1, True), (0.3, False)])
def test_of_votes_and_a_head_that_bends_the_one_with_less_loss_ships(support, monkeypatch, loss, ships):
    monkeypatch.setattr(fitting, "choose_vote", lambda *_, **__: Vote(0.5, 20.0, loss=loss))
    monkeypatch.setattr(fitting, "bend", lambda *_, **__: Bend("neighbours", 20.0, 1.0, 0.2))
    settings = fitted(reviews(210, 0, support)).settings
    assert ("votes" in settings) == ships
    assert (settings["head"] == "neighbours") != ships
