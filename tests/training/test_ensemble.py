import numpy as np
import pytest

from headway.tasks import Classify, Part, Regress, Several
from headway.training.ensemble import gains_more_than_noise, keep_heavy, loses_less, mix, row_losses, select_weights

TASK = Classify(("no", "yes"))


def noisy_probabilities(truth, seed, strength=1.0):
    generator = np.random.default_rng(seed)
    logits = strength * (2 * truth - 1) + generator.normal(0, 1.5, len(truth))
    positive = 1 / (1 + np.exp(-logits))
    return np.stack([1 - positive, positive], axis=1).astype(np.float32)


def test_independent_errors_share_the_weight_and_the_mix_gains():
    truth = np.random.default_rng(0).integers(0, 2, 2000)
    answers = {name: noisy_probabilities(truth, seed) for seed, name in enumerate("abc")}
    weights = select_weights(answers, truth, TASK)
    assert set(weights) == {"a", "b", "c"}
    assert np.isclose(sum(weights.values()), 1)
    mixed = mix(answers, weights)
    assert np.allclose(mixed.sum(axis=1), 1, atol=1e-5)
    assert gains_more_than_noise(mixed, answers["a"], truth, TASK, metric="accuracy", seed=0)


def test_a_useless_candidate_gets_no_weight():
    truth = np.random.default_rng(0).integers(0, 2, 2000)
    answers = {"good": noisy_probabilities(truth, 1, 5.0), "noise": noisy_probabilities(truth, 2, 0.0)}
    assert select_weights(answers, truth, TASK) == {"good": 1.0}


def test_a_member_that_hardly_counts_is_dropped():
    assert keep_heavy({"good": 0.75, "fair": 0.15, "poor": 0.1}) == pytest.approx(
        {"good": 0.75 / 0.9, "fair": 0.15 / 0.9}
    )


def test_an_equal_mix_gains_nothing():
    truth = np.random.default_rng(0).integers(0, 2, 500)
    answers = noisy_probabilities(truth, 1)
    assert not gains_more_than_noise(answers, answers, truth, TASK, metric="accuracy", seed=0)


def test_values_of_a_regression_are_mixed_by_their_squared_error():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=1000).astype(np.float32)
    answers = {name: truth + generator.normal(size=1000).astype(np.float32) for name in "ab"}
    weights = select_weights(answers, truth, Regress())
    assert set(weights) == {"a", "b"}
    assert 0.3 < weights["a"] < 0.7


def test_a_mix_of_near_equals_loses_less_and_a_copy_does_not():
    truth = np.random.default_rng(0).integers(0, 2, 300)
    answers = {name: noisy_probabilities(truth, seed) for seed, name in enumerate("ab")}
    mixed = mix(answers, {"a": 0.5, "b": 0.5})
    assert loses_less(mixed, answers["a"], truth, TASK)
    assert not loses_less(mixed, answers["a"], truth, TASK, errors=1000)
    assert not loses_less(answers["a"], answers["a"], truth, TASK)


SEVERAL = Several((Part("a", Classify(("x", "y")), "accuracy"), Part("b", Regress(), "r2")))


def test_losses_of_several_targets_count_each_target_alike():
    truth = np.array([[0, 1], [1, np.nan], [np.nan, 3], [0, np.nan]], np.float32)
    answers = np.array([[0.5, 0.5, 2], [0.5, 0.5, 9], [0.1, 0.9, 2], [0.5, 0.5, 9]], np.float32)
    losses = row_losses(answers, truth, SEVERAL)
    assert losses.mean() == pytest.approx((np.log(2) + 1) / 2)
    assert losses[1] == pytest.approx(np.log(2) / 2 * 4 / 3)


def test_candidates_of_several_targets_mix():
    truth = np.array([[0, 1], [1, 2], [0, 3], [1, 4]], np.float32)
    labels = np.eye(2, dtype=np.float32)[truth[:, 0].astype(int)] * 0.9 + 0.05
    good_labels = np.concatenate([labels, np.full((4, 1), 2.5, np.float32)], axis=1)
    good_values = np.concatenate([np.full((4, 2), 0.5, np.float32), truth[:, 1:]], axis=1)
    weights = select_weights({"labels": good_labels, "values": good_values}, truth, SEVERAL)
    assert set(weights) == {"labels", "values"}
