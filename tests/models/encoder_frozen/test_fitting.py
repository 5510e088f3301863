import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.models.encoder_frozen.fitting import fit
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
