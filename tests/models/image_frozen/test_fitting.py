import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.errors import TrainingError
from headway.models.family import Examples, Support
from headway.models.image_frozen import fitting
from headway.package.opening import open_graph
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from tests.encoders.tiny_images import tiny_image_base
from tests.models.test_contract import picture

TASK = Classify(("dark", "light"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_image_base(tmp_path_factory.mktemp("base"))


def pairs(rows, seed, support):
    """Two pictures a row; the second one says which class it is."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, rows)
    cells = {"a": [picture(1, generator) for _ in y], "b": [picture(2 * c, generator) for c in y]}
    return Examples(pl.DataFrame(cells), tuple(Column(name, "image") for name in cells), y, support=support)


def fit(train, valid, settings=None):
    return fitting.fit(train, valid, TASK, Recipe(), settings=settings, seed=0, clock=Clock())


@pytest.mark.parametrize("mirrored", [False, True])
def test_two_pictures_a_row_ship_in_one_pass(base, mirrored):
    train, test = (pairs(rows, seed, Support(base=base)) for seed, rows in enumerate((40, 20)))
    model = fit(train, test, {"size": 32, "penalty": 0.1, "mirrored": mirrored})
    answers = model.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    shipped = open_graph(model.graph())
    np.testing.assert_allclose(shipped.run(test.rows.to_dict()), answers, atol=1e-4)
    np.testing.assert_allclose(shipped.run(test.rows[:1].to_dict()), answers[:1], atol=1e-4)
    assert model.settings["mirrored"] == mirrored


def test_mirror_images_are_not_tried_where_the_latency_forbids_it(base, monkeypatch):
    asked = []
    plain = fitting.read_columns
    monkeypatch.setattr(
        fitting, "read_columns", lambda *given, mirrored: asked.append(mirrored) or plain(*given, mirrored=mirrored)
    )
    for latency, tried in ((1e-6, False), (1e9, True)):
        asked.clear()
        support = Support(base=base, latency_ms=latency)
        fit(pairs(20, 0, support), pairs(10, 1, support))
        assert any(asked) == tried


def test_features_that_are_kept_cost_nothing(base, tmp_path):
    train = pairs(40, 0, Support(base=base, store=tmp_path))
    before = fitting.estimate(train, TASK, Recipe(), seed=0)
    model = fit(train, None)
    after = fitting.estimate(train, TASK, Recipe(), seed=0)
    assert after.seconds < before.seconds
    np.testing.assert_allclose(
        model.predict(train.rows), fit(pairs(40, 0, Support(base=base)), None).predict(train.rows), atol=1e-5
    )


def test_without_a_base_there_is_an_error():
    with pytest.raises(TrainingError, match="no base model"):
        fit(pairs(8, 0, Support()), None)
