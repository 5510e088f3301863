import numpy as np
import pytest

from headway.evaluation.pictures.manifold import covered, precision_recall


def points(seed, rows=300, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, (rows, 4)).astype(np.float32)


def test_the_same_distribution_is_precise_and_recalled():
    precision, recall = precision_recall(points(0), points(1), seed=0)
    assert precision > 0.8
    assert recall > 0.8


def test_one_mode_of_two_is_precise_but_not_recalled():
    real = np.concatenate([points(0), points(1, shift=20)])
    precision, recall = precision_recall(real, points(2, rows=600), seed=0)
    assert precision > 0.8
    assert 0.3 < recall < 0.7


def test_noise_far_away_is_neither():
    assert precision_recall(points(0), points(1, shift=50), seed=0) == (0.0, 0.0)


def test_balls_reach_to_the_third_neighbour():
    line = np.arange(5, dtype=np.float32)[:, None]  # the third neighbour of the ends is 3 away, of the middle 2
    assert covered(np.array([[-3.0]], np.float32), line) == 1.0
    assert covered(np.array([[-3.1]], np.float32), line) == 0.0


def test_too_few_pictures_give_no_figure():
    assert all(np.isnan(value) for value in precision_recall(points(0, rows=3), points(1), seed=0))
    assert precision_recall(points(0, rows=4), points(1), seed=0)[0] == pytest.approx(0.5, abs=0.5)
