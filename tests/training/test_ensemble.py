import numpy as np

from headway.tasks import Classify, Regress
from headway.training.ensemble import gains_more_than_noise, loses_less, mix, select_weights

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
    assert not loses_less(answers["a"], answers["a"], truth, TASK)
