import numpy as np
import pytest
from scipy.optimize import minimize

from headway.models.descent import descend


def logistic_of(seed, rows=200, width=12):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, width))
    y = np.where(x @ generator.normal(size=width) + generator.normal(size=rows) > 0, 1.0, -1.0)

    def loss(at):
        margin = y * (x @ at)
        slope = -y / (1 + np.exp(margin)) / rows
        return float(np.logaddexp(0, -margin).mean() + 0.005 * at @ at), x.T @ slope + 0.01 * at

    return loss, width


@pytest.mark.parametrize("seed", range(3))
def test_it_ends_where_scipy_ends(seed):
    loss, width = logistic_of(seed)
    ours = descend(loss, np.zeros(width), iterations=100, flat=1e-12, steep=1e-7)
    theirs = minimize(loss, np.zeros(width), jac=True, method="BFGS", options={"gtol": 1e-8}).x
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_narrow_valley_is_followed_to_its_end():
    def rosenbrock(at):
        bend = at[1] - at[0] ** 2
        return float((1 - at[0]) ** 2 + 100 * bend**2), np.array([-2 * (1 - at[0]) - 400 * at[0] * bend, 200 * bend])

    found = descend(rosenbrock, np.array([-1.2, 1.0]), iterations=200, flat=0.0, steep=1e-8)
    np.testing.assert_allclose(found, [1.0, 1.0], atol=1e-5)


def test_it_starts_at_the_end_and_stops_after_so_many_iterations():
    loss, width = logistic_of(0)
    calls = []

    def counted(at):
        calls.append(1)
        return loss(at)

    end = descend(counted, np.zeros(width), iterations=100, flat=1e-12, steep=1e-7)
    calls.clear()
    again = descend(counted, end, iterations=100, flat=1e-12, steep=1e-6)
    assert len(calls) == 1
    assert np.array_equal(again, end)
    once = descend(loss, np.zeros(width), iterations=1, flat=1e-12, steep=1e-7)
    assert loss(end)[0] < loss(once)[0] < loss(np.zeros(width))[0]


def test_a_loss_that_is_no_number_ends_the_search_where_it_began():
    start = np.ones(3)
    found = descend(lambda at: (float("nan"), at), start, iterations=5, flat=1e-9, steep=1e-9)
    np.testing.assert_array_equal(found, start)
