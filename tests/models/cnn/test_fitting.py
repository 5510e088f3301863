import numpy as np
import onnxruntime
import pytest
import torch

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.cnn.fitting import estimate, fit
from headway.models.family import Examples
from headway.runtime.feeds import encode
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe
from tests.modalities.image.pictures import bars

TASK = Classify(("down", "across"))
# Rotation would be fine, but without augmentation few epochs are enough.
QUICK = Recipe(epochs=8, augment=False)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def learn(train, valid=None, *, task=TASK, recipe=QUICK, settings=None, seed=0, clock=None):
    return fit(train, valid, task, recipe, settings=settings, seed=seed, clock=clock or Clock())


def from_graph(fitted, rows):
    graph = fitted.graph()
    inputs = {}
    for feed in graph.feeds:
        inputs |= encode(feed, {name: rows[name].to_list() for name in feed.columns}, files={})
    return onnxruntime.InferenceSession(graph.onnx).run(None, inputs)[0]


def test_it_learns_what_a_linear_model_cannot_and_its_graph_agrees():
    train, valid = bars(240), bars(80, seed=1)
    fitted = learn(train, valid)
    answers = from_graph(fitted, valid.rows)
    assert (answers.argmax(1) == valid.y).mean() > 0.95
    np.testing.assert_allclose(answers, fitted.predict(valid.rows), atol=1e-5)
    assert [curve.name for curve in fitted.curves] == ["loss", "error rate"]


@pytest.mark.parametrize("size", [8, 33, 100])
def test_every_size_of_image_works(size):
    train = bars(32, size=size)
    fitted = learn(train, recipe=Recipe(epochs=1))
    np.testing.assert_allclose(from_graph(fitted, train.rows), fitted.predict(train.rows), atol=1e-5)


def test_the_same_seed_gives_the_same_network():
    train = bars(64)
    runs = [learn(train, recipe=Recipe(epochs=2), seed=seed).predict(train.rows) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_regression_on_several_images_answers_in_the_unit_of_the_target():
    found = bars(160, columns=("front", "back"))
    train = Examples(found.rows, found.inputs, (found.y * 1000.0 + 5000).astype(np.float32))
    fitted = learn(train, task=Regress(), recipe=Recipe(epochs=10, augment=False, loss="huber"))
    assert np.abs(fitted.predict(train.rows) - train.y).mean() < 250
    np.testing.assert_allclose(from_graph(fitted, train.rows)[:, 0], fitted.predict(train.rows), rtol=1e-4)


def test_settings_replay_size_and_epochs_without_a_validation_part():
    train, valid = bars(64), bars(32, seed=1)
    first = learn(train, valid)
    again = learn(train, settings=first.settings)
    np.testing.assert_allclose(again.predict(valid.rows), first.predict(valid.rows), atol=1e-5)


def test_a_short_clock_ends_in_time_and_an_ended_one_is_an_error():
    train = bars(400)
    fitted = learn(train, recipe=Recipe(epochs=10_000), clock=Clock.after(3))
    assert 1 <= fitted.trained.epochs < 10_000
    with pytest.raises(TrainingError):
        learn(train, clock=Clock.after(0))


def test_an_estimate_counts_all_epochs():
    train = bars(100)
    one, many = (estimate(train, TASK, Recipe(epochs=epochs), seed=0) for epochs in (1, 500))
    assert many.seconds > 5 * one.seconds
