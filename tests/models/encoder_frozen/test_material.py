import numpy as np
import pytest

from headway.models.encoder_frozen.heads import Vectors
from headway.models.encoder_frozen.material import Material, Setting, solved, surest
from headway.models.pseudo import unit
from headway.tasks import Classify

TASK = Classify(("a", "b", "c"))
MIDDLES = unit(np.random.default_rng(9).normal(size=(3, 30)))


def noisy(rows, seed, noise=0.4):
    generator = np.random.default_rng(seed)
    y = np.arange(rows) % 3
    return Vectors(unit(MIDDLES[y] + generator.normal(0, noise, (rows, 30))), y, np.ones(rows))


def right(head, rows):
    return float((head.outputs(rows.x).argmax(1) == rows.y).mean())


def test_unlabelled_rows_around_the_labels_teach():
    few, more, test = noisy(6, 0), noisy(400, 1), noisy(300, 2)
    material = Material(few, unlabelled=more.x)
    plain, taught = (solved(material, Setting("logistic", 1e-2, unlabelled=share), TASK) for share in (0.0, 2.0))
    assert right(taught, test) > right(plain, test) + 0.03


def test_the_surest_of_each_label_count_as_its_rows_do_however_common_they_are():
    shares = np.array([[0.9, 0.1]] * 60 + [[0.6, 0.4]] * 30 + [[0.2, 0.8]] * 10)
    rows = Vectors(np.zeros((4, 1)), np.array([0, 0, 0, 1]), np.ones(4))
    found = surest(np.arange(100.0)[:, None], shares, rows, 0.5)
    assert set(found.x[:, 0]) <= {*range(60), *range(90, 100)}
    assert [found.weight[found.y == label].sum() for label in (0, 1)] == pytest.approx([1.5, 0.5])


def test_a_label_without_rows_is_known_by_its_words():
    rows = noisy(30, 0, 0.2)
    seen = rows.take(np.flatnonzero(rows.y != 1))
    test = noisy(90, 2, 0.2)
    told = solved(Material(seen, MIDDLES), Setting("logistic", 1e-3, words=10.0), TASK)
    mute = solved(Material(seen, MIDDLES), Setting("logistic", 1e-3), TASK)
    missing = test.y == 1
    assert (told.outputs(test.x).argmax(1) == 1)[missing].mean() > 0.7
    assert not (mute.outputs(test.x).argmax(1) == 1).any()
