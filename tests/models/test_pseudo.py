import numpy as np

from headway.models.pseudo import balanced, smoothed, unit


def test_balance_makes_labels_equally_common():
    logits = np.random.default_rng(0).normal(size=(200, 3)) + np.array([2.0, 0, 0])
    even = balanced(logits, 1.0)
    np.testing.assert_allclose(even.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(even.mean(0), 1 / 3, atol=0.01)
    assert balanced(logits, 0.0).mean(0)[0] > balanced(logits, 0.5).mean(0)[0] > 0.4 > even.mean(0)[0]


def test_a_row_moves_towards_its_neighbours_and_not_across():
    generator = np.random.default_rng(0)
    directions = np.eye(2, 8)
    y = np.arange(120) % 2
    x = unit(directions[y] + 0.4 * generator.normal(size=(120, 8)))
    near = smoothed(x)
    np.testing.assert_allclose(np.linalg.norm(near, axis=1), 1, rtol=1e-5)
    before, after = ((rows @ directions.T)[np.arange(120), y].mean() for rows in (x, near))
    assert after > before + 0.05
