import numpy as np
import pytest

from headway.compute.clock import Clock
from headway.models.encoder_frozen.choosing import WORDS, Exam, choose, cross_validated
from headway.models.encoder_frozen.heads import Vectors
from headway.models.encoder_frozen.material import Material, with_words
from headway.models.pseudo import unit
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

TASK = Classify(("a", "b", "c"))


def noisy(rows, seed):
    """Vectors that lie far around the middle of their label."""
    generator = np.random.default_rng(seed)
    middles = unit(np.random.default_rng(9).normal(size=(3, 30)))
    y = np.arange(rows) % 3
    return Vectors(unit(middles[y] + generator.normal(0, 0.45, (rows, 30))), y, np.ones(rows)), middles


def chosen(words, rows=15, unlabelled=None):
    vectors, _ = noisy(rows, 0)
    exams = cross_validated(Material(vectors, words, unlabelled), vectors.y, TASK, seed=0)
    return choose(exams, task=TASK, recipe=Recipe(), target=None, clock=Clock())


def test_every_row_is_judged_once_and_never_by_a_head_that_learnt_from_it():
    vectors, _ = noisy(15, 0)
    exams = cross_validated(Material(vectors), np.arange(15) % 3, TASK, seed=0)
    judged = np.concatenate([exam.valid.x for exam in exams])
    assert len(np.unique(judged, axis=0)) == len(judged) == 15
    for exam in exams:
        assert not (exam.valid.x[:, None] == exam.train.rows.x[None]).all(2).any()


def test_too_few_rows_are_not_divided():
    vectors, _ = noisy(3, 0)
    assert cross_validated(Material(vectors), vectors.y, TASK, seed=0) == ()


def test_words_count_where_they_tell_of_the_labels():
    _, middles = noisy(3, 0)
    told = chosen(middles)
    assert told.setting.words > 0
    assert told.loss < chosen(None).loss


def test_words_that_mislead_are_left_out():
    _, middles = noisy(3, 0)
    assert chosen(np.roll(middles, 1, axis=0), rows=60).setting.words == 0


def test_unlabelled_rows_count_where_they_lie_around_the_labels():
    more, _ = noisy(300, 5)
    told = chosen(None, rows=45, unlabelled=more.x)
    assert told.setting.unlabelled > 0
    assert told.loss < chosen(None, rows=45).loss


def test_unlabelled_rows_of_something_else_do_no_harm():
    strange = unit(np.random.default_rng(1).normal(size=(300, 30)))
    assert chosen(None, rows=60, unlabelled=strange).loss <= chosen(None, rows=60).loss


def test_without_words_their_weight_is_zero():
    assert chosen(None).setting.words == 0


def test_a_penalty_of_the_user_is_kept():
    vectors, middles = noisy(15, 0)
    exams = (Exam(Material(vectors, middles), vectors, vectors.y),)
    found = choose(exams, task=TASK, recipe=Recipe(weight_decay=0.5), target=None, clock=Clock())
    assert found.setting.penalty == 0.5


@pytest.mark.parametrize("weight", WORDS)
def test_words_become_rows_of_their_weight(weight):
    vectors, middles = noisy(6, 0)
    joined = with_words(vectors, middles, weight)
    assert len(joined.x) == (9 if weight else 6)
    assert joined.weight.sum() == 6 + 3 * weight
    assert list(joined.y[6:]) == ([0, 1, 2] if weight else [])
