import numpy as np
import pytest

from headway.models.solving import solve_logistic, solve_regression


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    return X, X @ np.array([2.0, -1.0, 0.0, 0.0]) + 3.0


def loss(X, y, w, b, weight_decay):
    odds = X @ w + b
    return np.mean(np.logaddexp(0, -np.where(y == 1, odds, -odds))) + weight_decay / 2 * np.sum(w**2)


def test_logistic_regression_sits_at_the_minimum_of_the_stated_objective(data):
    X, z = data
    y = (z + np.random.default_rng(1).logistic(size=400) > 3).astype(int)
    line = solve_logistic(X, y, np.ones(400), classes=2, weight_decay=0.05, l1=0.0, seed=0)
    w, b = line.weights[:, 0], line.bias[0]
    best = loss(X, y, w, b, 0.05)
    for step in np.eye(4) * 0.01:
        assert loss(X, y, w + step, b, 0.05) > best
        assert loss(X, y, w - step, b, 0.05) > best


def test_l1_silences_columns_that_say_nothing(data):
    X, z = data
    y = (z > 3).astype(int)
    line = solve_logistic(X, y, np.ones(400), classes=2, weight_decay=0.0, l1=0.03, seed=0)
    assert (line.weights[2:, 0] == 0).all()
    assert abs(line.weights[0, 0]) > 0.1
    flat = solve_regression(X, z, np.ones(400), loss="mse", delta=1.0, weight_decay=0.0, l1=0.2)
    assert np.abs(flat.weights[2:]).max() < 1e-6


def test_huber_and_mae_shrug_off_outliers(data):
    X, z = data
    wild = z.copy()
    wild[::8] += 100.0
    for name, close in (("mse", False), ("huber", True), ("mae", True)):
        line = solve_regression(X, wild, np.ones(400), loss=name, delta=0.1, weight_decay=1e-6, l1=0.0)
        assert (np.abs(line.weights[:, 0] - [2, -1, 0, 0]).max() < 0.1 and abs(line.bias[0] - 3) < 0.2) == close


def test_weights_count_like_repeated_rows(data):
    X, z = data
    weight = np.where(np.arange(400) < 50, 3.0, 1.0)
    repeated = np.concatenate([X, X[:50], X[:50]]), np.concatenate([z**2, z[:50] ** 2, z[:50] ** 2])
    options = {"loss": "mse", "delta": 1.0, "weight_decay": 0.1, "l1": 0.0}
    weighted = solve_regression(X, z**2, weight, **options)
    plain = solve_regression(*repeated, np.ones(500), **options)
    np.testing.assert_allclose(weighted.weights, plain.weights, atol=1e-8)


@pytest.mark.parametrize(("classes", "seen"), [(2, [0]), (2, [1]), (3, [2]), (3, [0, 2]), (4, [0, 1, 3])])
def test_classes_that_are_not_there_get_next_to_no_probability(classes, seen):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.array(seen)[np.arange(60) % len(seen)]
    line = solve_logistic(X, y, np.ones(60), classes=classes, weight_decay=0.1, l1=0.0, seed=0)
    outputs = line(X)
    logits = np.concatenate([np.zeros((60, 1)), outputs], axis=1) if classes == 2 else outputs
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    absent = [c for c in range(classes) if c not in seen]
    assert shares[:, absent].max() < 1e-3
