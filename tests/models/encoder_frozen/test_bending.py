import numpy as np
import pytest
import spox.opset.ai.onnx.v21 as op
from spox import Tensor, argument

from headway.compute.clock import Clock
from headway.modalities.text.vocabulary import open_nodes
from headway.models.encoder_frozen.bending import TRIED, bend, fitted
from headway.models.encoder_frozen.choosing import Exam, choose
from headway.models.encoder_frozen.heads import Vectors
from headway.models.encoder_frozen.material import Material
from headway.models.pseudo import unit
from headway.models.targets import fit_target_scale
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe

PAIR = Classify(("a", "b"))


def crossed(rows, seed):
    """Vectors whose label no plane tells: the product of two of their numbers."""
    x = unit(np.random.default_rng(seed).normal(size=(rows, 6)).astype(np.float32))
    return Vectors(x, (x[:, 0] * x[:, 1] > 0).astype(np.int64), np.ones(rows))


def bent_on(train, valid, task, target=None, truth=None):
    exams = (Exam(Material(train), valid, valid.y if truth is None else truth),)
    straight = choose(exams, task=task, recipe=Recipe(), target=target, clock=Clock())
    return straight, bend(exams, straight, task=task, recipe=Recipe(), target=target, seed=0, clock=Clock())


def test_what_no_plane_tells_is_bent():
    train, valid = crossed(600, 0), crossed(300, 1)
    straight, bent = bent_on(train, valid, PAIR)
    assert bent is not None
    assert bent.loss < 0.8 * straight.loss
    head = fitted(bent.name, bent.strength, train, PAIR, seed=0, clock=Clock()).scaled(bent.scale)
    assert (head.outputs(valid.x).argmax(1) == valid.y).mean() > 0.8


def test_what_a_plane_tells_stays_straight():
    train, valid = crossed(400, 0), crossed(200, 1)
    lined = [Vectors(each.x, (each.x[:, 0] > 0).astype(np.int64), each.weight) for each in (train, valid)]
    assert bent_on(*lined, PAIR)[1] is None


def test_values_are_bent_too():
    parts = [crossed(400, seed) for seed in (0, 1)]
    values = [(10 * part.x[:, 0] * part.x[:, 1]).astype(np.float64) for part in parts]
    target = fit_target_scale(values[0])
    train, valid = (Vectors(part.x, target.forward(own), part.weight) for part, own in zip(parts, values, strict=True))
    straight, bent = bent_on(train, valid, Regress(), target, values[1])
    assert bent is not None
    assert bent.loss < 0.5 * straight.loss


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("task", [PAIR, Regress()], ids=["labels", "values"])
def test_the_nodes_answer_as_the_head_does(name, task):
    train = crossed(200, 0)
    head = fitted(name, TRIED[name][0], train, task, seed=0, clock=Clock()).scaled(2.0)
    x = argument(Tensor(np.float32, ("rows", 6)))
    found = open_nodes({"x": x}, op.identity(head.nodes(x)))(train.x[:50])
    np.testing.assert_allclose(found, head.outputs(train.x[:50]), atol=1e-4)


def test_no_time_bends_nothing():
    train, valid = crossed(300, 0), crossed(100, 1)
    exams = (Exam(Material(train), valid, valid.y),)
    straight = choose(exams, task=PAIR, recipe=Recipe(), target=None, clock=Clock())
    ended = Clock.after(0.0)
    assert bend(exams, straight, task=PAIR, recipe=Recipe(), target=None, seed=0, clock=ended) is None
