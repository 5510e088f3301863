import numpy as np
import pytest
import scipy.linalg

from headway.evaluation.pictures.frechet import frechet_distance, moments_of


def points(seed, rows=400, shift=0.0, scale=1.0, features=6):
    return np.random.default_rng(seed).normal(shift, scale, (rows, features)).astype(np.float32)


def test_it_agrees_with_the_formula_of_heusel_et_al():
    one, other = points(0), points(1, shift=0.5, scale=2.0)
    first, second = moments_of(one), moments_of(other)
    root = scipy.linalg.sqrtm(first.covariance @ second.covariance).real
    expected = np.square(first.mean - second.mean).sum() + np.trace(first.covariance + second.covariance - 2 * root)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-6)


def test_equal_sets_are_not_apart():
    assert frechet_distance(points(0), points(0)) == pytest.approx(0, abs=1e-9)


def test_a_shift_is_its_square():
    one = points(0)
    assert frechet_distance(one, one + np.float32(2)) == pytest.approx(4 * 6, rel=1e-5)


def test_few_pictures_and_a_single_one_give_a_number():
    assert np.isfinite(frechet_distance(points(0, rows=3), points(1, rows=1)))
    assert frechet_distance(points(0, rows=3), moments_of(points(1, rows=2))) >= 0
