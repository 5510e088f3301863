import numpy as np

from headway.evaluation.pictures.judge import Views
from headway.evaluation.pictures.variety import classes_in_effect, variety


def views(labels, seed=0, spread=1.0):
    features = np.random.default_rng(seed).normal(0, spread, (len(labels), 8)).astype(np.float32)
    return Views(features, np.eye(10, dtype=np.float32)[labels])


ALL = np.arange(400) % 10


def test_alike_sets_have_the_whole_variety():
    assert 0.9 < variety(views(ALL, 1), views(ALL, 2)) < 1.1


def test_one_class_of_ten_is_a_collapse():
    assert variety(views(ALL * 0, 1), views(ALL, 2)) < 0.15
    assert classes_in_effect(views(ALL)) > 9.9


def test_the_same_picture_in_each_class_is_a_collapse():
    assert variety(views(ALL, 1, spread=0.05), views(ALL, 2)) < 0.1
