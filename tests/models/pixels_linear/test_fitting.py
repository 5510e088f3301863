import numpy as np
import onnxruntime
import pytest

from headway.compute.clock import Clock
from headway.models.pixels_linear.fitting import estimate, fit
from headway.runtime.feeds import encode
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe
from tests.modalities.image.pictures import bars

TASK = Classify(("down", "across"))


def learn(train, valid=None, task=TASK, recipe=None, settings=None):
    return fit(train, valid, task, recipe or Recipe(), settings=settings, seed=0, clock=Clock())


def from_graph(fitted, rows):
    graph = fitted.graph()
    inputs = {}
    for feed in graph.feeds:
        inputs |= encode(feed, {name: rows[name].to_list() for name in feed.columns}, files={})
    return onnxruntime.InferenceSession(graph.onnx).run(None, inputs)[0]


@pytest.mark.parametrize("size", [12, 80])
def test_the_graph_agrees_with_the_model(size):
    train = bars(60, size=size)
    fitted = learn(train)
    np.testing.assert_allclose(from_graph(fitted, train.rows), fitted.predict(train.rows), atol=1e-5)


def test_it_learns_brightness():
    train, valid = bars(200), bars(100, seed=1)
    fitted = learn(train, valid)
    assert (fitted.predict(train.rows).argmax(1) == train.y).mean() > 0.9


def test_regression_answers_in_the_unit_of_the_target():
    train = bars(100)
    y = (train.y * 1000.0 + 5000).astype(np.float32)
    fitted = learn(type(train)(train.rows, train.inputs, y), task=Regress())
    assert np.abs(fitted.predict(train.rows) - y).mean() < 300
    np.testing.assert_allclose(from_graph(fitted, train.rows)[:, 0], fitted.predict(train.rows), rtol=1e-4)


def test_settings_replay_the_same_model():
    train, valid = bars(100), bars(50, seed=1)
    fitted = learn(train, valid)
    again = learn(train, settings=fitted.settings)
    np.testing.assert_allclose(again.predict(valid.rows), fitted.predict(valid.rows), atol=1e-6)


def test_a_label_that_never_occurs_gets_next_to_no_probability():
    train = bars(60)
    fitted = learn(train, task=Classify(("down", "across", "neither")))
    assert fitted.predict(train.rows)[:, 2].max() < 0.01
    only = train.take(np.flatnonzero(train.y == 1))
    assert learn(only).predict(train.rows)[:, 1].min() > 0.99


def test_class_weights_move_the_answers():
    train = bars(60)
    plain = learn(train, recipe=Recipe(weight_decay=1.0)).predict(train.rows)
    heavy = learn(train, recipe=Recipe(weight_decay=1.0, class_weights={"across": 10.0})).predict(train.rows)
    assert heavy[:, 1].mean() > plain[:, 1].mean() + 0.2


def test_several_image_columns_are_read_together():
    train = bars(40, columns=("front", "back"))
    fitted = learn(train)
    assert [feed.columns for feed in fitted.graph().feeds] == [("front",), ("back",)]
    np.testing.assert_allclose(from_graph(fitted, train.rows), fitted.predict(train.rows), atol=1e-5)


def test_an_estimate_grows_with_the_rows():
    few, many = (estimate(bars(rows), TASK, Recipe(), seed=0) for rows in (20, 400))
    assert many.memory_mb > few.memory_mb
    assert few.seconds > 0
