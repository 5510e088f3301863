import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.models.family import Examples
from headway.models.mirroring import is_better, may_mirror
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

TASK = Classify(("no", "yes"))


def answers(sureness):
    """Return answers to 40 rows, all of the first label; `sureness`: of each that it is."""
    return np.stack([sureness, 1 - sureness], axis=1).astype(np.float32)


@pytest.mark.parametrize(("gain", "better"), [(0.1, True), (0.0, False), (-0.1, False)])
def test_the_loss_has_to_fall_by_more_than_noise(gain, better):
    exam = Examples(pl.DataFrame({"a": ["x"] * 40}), (), np.zeros(40, np.int64))
    noise = np.random.default_rng(0).normal(0, 0.02, 40)
    assert is_better(answers(0.6 + noise + gain), answers(np.full(40, 0.6)), exam, TASK, Recipe()) == better


def test_time_and_latency_decide_whether_it_is_tried():
    seconds, inf = (lambda: 0.010), float("inf")
    assert may_mirror(Clock(), 5.0, inf, lambda: pytest.fail("measured for nothing"))
    assert not may_mirror(Clock.after(-1), 0.0, inf, seconds)
    assert not may_mirror(Clock.after(1_000), 900.0, inf, seconds)
    assert may_mirror(Clock(), 5.0, 12.0, seconds)
    assert not may_mirror(Clock(), 5.0, 10.5, seconds)
