import numpy as np
import onnxruntime
import pytest
import spox
import spox.opset.ai.onnx.v21 as op

from headway.compute.clock import Clock
from headway.models.encoder_frozen.choosing import choose, cross_validated
from headway.models.encoder_frozen.heads import Vectors
from headway.models.encoder_frozen.material import Material, solved
from headway.models.encoder_frozen.voting import Vote, choose_vote, with_votes
from headway.models.pseudo import unit
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

TASK = Classify(("a", "b"))


def corners(rows, seed, middles=24):
    """Each label lies around many places, every other one: near rows tell it, and no line does."""
    generator = np.random.default_rng(seed)
    places = unit(np.random.default_rng(9).normal(size=(middles, 12)))
    own = np.arange(rows) % middles
    return Vectors(unit(places[own] + generator.normal(0, 0.08, (rows, 12))), own % 2, np.ones(rows))


def anywhere(rows, seed):
    """Labels have nothing to do with where rows lie."""
    generator = np.random.default_rng(seed)
    return Vectors(unit(generator.normal(size=(rows, 12))), np.arange(rows) % 2, np.ones(rows))


def chosen(rows, words=None):
    material = Material(rows, words)
    exams = cross_validated(material, rows.y, TASK, seed=0)
    straight = choose(exams, task=TASK, recipe=Recipe(), target=None, clock=Clock(), few=True)
    return material, straight, choose_vote(exams, straight, task=TASK, recipe=Recipe())


def right(head, rows):
    return float((head.outputs(rows.x).argmax(1) == rows.y).mean())


def test_rows_vote_where_near_ones_tell_what_a_line_does_not():
    material, straight, vote = chosen(corners(96, 0))
    line, test = solved(material, straight.setting, TASK), corners(480, 1)
    assert vote is not None
    assert right(with_votes(line, material, vote, TASK), test) > right(line, test) + 0.02


def test_rows_do_not_vote_where_they_tell_nothing():
    assert chosen(anywhere(200, 0))[2] is None


def test_a_label_without_rows_gets_the_vote_of_its_words():
    rows = corners(48, 0)
    seen = rows.take(np.flatnonzero(rows.y == 0))
    words = np.stack([seen.x[0], rows.x[1]])
    material = Material(seen, words)
    votes = with_votes(solved(material, chosen(rows)[1].setting, TASK), material, Vote(1.0, 20.0), TASK).votes
    assert votes.outputs(rows.x[1:2]).argmax(1) == 1


def test_the_graph_answers_as_the_head_does():
    material, straight, _ = chosen(corners(48, 0))
    head = with_votes(solved(material, straight.setting, TASK), material, Vote(0.5, 20.0, 0.7), TASK)
    x = spox.argument(spox.Tensor(np.float32, ("rows", 12)))
    model = spox.build({"x": x}, {"y": op.identity(head.nodes(x))})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rows = corners(20, 3).x.astype(np.float32)
    np.testing.assert_allclose(session.run(None, {"x": rows})[0], head.outputs(rows), atol=1e-4)


def test_settings_name_the_vote_again():
    vote = Vote(0.25, 20.0, 0.7)
    assert Vote.given({**vote.told, "head": "logistic"}) == vote
    assert Vote.given({"head": "logistic"}) is None


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_a_scaled_sum_is_as_right_and_less_or_more_sure(scale):
    material, straight, _ = chosen(corners(48, 0))
    head = with_votes(solved(material, straight.setting, TASK), material, Vote(0.5, 20.0), TASK)
    rows = corners(20, 3).x
    np.testing.assert_allclose(head.scaled(scale).outputs(rows), scale * head.outputs(rows), rtol=1e-6)
