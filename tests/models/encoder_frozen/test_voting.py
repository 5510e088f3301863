import numpy as np
import onnxruntime
import pytest
import spox
import spox.opset.ai.onnx.v21 as op

from headway.compute.clock import Clock
from headway.models.encoder_frozen.choosing import choose, cross_validated
from headway.models.encoder_frozen.heads import Vectors
from headway.models.encoder_frozen.material import Material, solved
from headway.models.encoder_frozen.neighbours import condensed
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


def chosen(rows, words=None, few=True):
    material = Material(rows, words)
    exams = cross_validated(material, rows.y, TASK, seed=0)
    straight = choose(exams, task=TASK, recipe=Recipe(), target=None, clock=Clock(), few=few)
    return material, straight, choose_vote(exams, straight, task=TASK, recipe=Recipe(), few=few, clock=Clock())


def right(head, rows):
    return float((head.outputs(rows.x).argmax(1) == rows.y).mean())


@pytest.mark.parametrize("few", [True, False])
def test_rows_vote_where_near_ones_tell_what_a_line_does_not(few):
    material, straight, vote = chosen(corners(96, 0), few=few)
    line, test = solved(material, straight.setting, TASK), corners(480, 1)
    assert vote is not None
    assert right(with_votes(line, material, vote, TASK), test) > right(line, test) + 0.02


def test_rows_do_not_vote_where_they_tell_nothing():
    assert chosen(anywhere(200, 0))[2] is None


def test_middles_stand_for_many_rows(monkeypatch):
    monkeypatch.setattr("headway.models.encoder_frozen.voting.VOTERS", 48)
    material, straight, vote = chosen(corners(960, 0), few=False)
    line, test = solved(material, straight.setting, TASK), corners(480, 1)
    assert vote is not None
    head = with_votes(line, material, vote, TASK)
    assert len(head.votes.votes) == 48
    assert right(head, test) > right(line, test) + 0.02


def test_middles_count_as_their_rows_do():
    rows = corners(960, 0)
    rows = Vectors(rows.x, np.where(np.arange(960) < 40, 1, 0), np.linspace(0.5, 1.5, 960))
    found = condensed(rows, 100)
    assert np.bincount(found.y).tolist() == [50, 40]
    assert [found.weight[found.y == label].sum() for label in (0, 1)] == pytest.approx(
        [rows.weight[rows.y == label].sum() for label in (0, 1)]
    )
    assert condensed(rows, 960) is rows


def test_rows_of_a_label_without_weight_have_no_middle():
    rows = corners(960, 0)
    found = condensed(Vectors(rows.x, rows.y, np.where(rows.y == 0, 0.0, 1.0)), 100)
    assert set(found.y) == {1}
    assert np.isfinite(found.weight).all()


def test_rows_that_are_all_alike_have_one_middle():
    alike = Vectors(np.ones((40, 3), np.float32), np.zeros(40, int), np.ones(40))
    found = condensed(alike, 10)
    np.testing.assert_allclose(found.x, [[1, 1, 1]])
    assert found.weight.tolist() == [40]


def test_no_votes_are_tried_after_the_time():
    rows = corners(96, 0)
    material, straight, _ = chosen(rows)
    exams = cross_validated(material, rows.y, TASK, seed=0)
    ended = Clock.after(-1)
    assert choose_vote(exams, straight, task=TASK, recipe=Recipe(), few=True, clock=ended) is None


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
