from dataclasses import replace

import numpy as np
import pytest

from headway.compute.clock import Clock
from headway.models.family import Card, Estimate
from headway.tasks import Generate
from headway.tasks.recipe import Recipe
from headway.training import admission
from headway.training.admission import (
    OVERRUN,
    OVERRUN_LEAST,
    PACKED_BY_THE_WAY,
    PACKING_SECONDS,
    likely_winners,
    probe,
    seconds_allowed,
    seconds_available,
)
from headway.training.ending import can_refit
from headway.training.entrants import Entrant
from headway.training.outcome import Outcome
from headway.training.refit import refit_seconds
from headway.training.state import State
from tests.training.families import NO_HURRY, Sees, contest, room


class Still:
    """Footprints that nobody asks for."""

    def request(self, outcome):
        pass


def state_of(outcomes=(), *, arena=None, seconds=100.0, family=None):
    clock = NO_HURRY if seconds is None else Clock.after(seconds)
    registry = room(baseline=Sees((0.0, 0.0)), one=family or Sees((1.0, 1.0)))
    return State(
        arena or contest(), registry, clock, None, lambda _: None, Still(),
        outcomes={outcome.name: outcome for outcome in outcomes},
    )  # fmt: skip


def answered(arena, name, accuracy, *, places, **figures):
    """An outcome that is sure and right everywhere but at every `places`-th row from its own start."""
    right = np.ones(len(arena.truth), bool)
    right[places] = False
    shares = np.full((len(right), 2), 0.1, np.float32)
    shares[np.arange(len(right)), np.where(right, arena.truth, 1 - arena.truth)] = 0.9
    return Outcome(name, "ok", metrics={arena.metric: accuracy}, answers=shares, fit_seconds=10.0, **figures)


def test_time_is_kept_for_the_refit_of_the_best_and_of_who_is_likely_to_be_mixed_with_it():
    arena = contest()
    best = answered(arena, "best", 0.9, places=slice(0, None, 10))
    other = answered(arena, "other", 0.8, places=slice(5, None, 10))
    copy = replace(best, name="copy", metrics={arena.metric: 0.85})
    assert likely_winners(state_of()) == []
    assert likely_winners(state_of([best])) == ["best"]
    assert likely_winners(state_of([best, other], arena=arena)) == ["best", "other"]
    assert likely_winners(state_of([best, copy], arena=arena)) == ["best"]
    alone, both = (seconds_available(state_of(each, arena=arena)) for each in ([best], [best, other]))
    assert both < alone - 5


def test_time_is_kept_to_put_large_members_together():
    arena = contest()
    best = answered(arena, "best", 0.9, places=slice(0, None, 10))
    small, large = (
        seconds_available(state_of([best, answered(arena, "other", 0.8, places=slice(5, None, 10), size_mb=size)]))
        for size in (1.0, PACKED_BY_THE_WAY + 100)
    )
    assert small - large == pytest.approx(2 * 100 * PACKING_SECONDS, abs=0.5)


def test_time_is_kept_for_the_test_of_a_slow_member_that_is_likely_to_be_mixed():
    arena = replace(contest(), test_rows=4_000)
    best = answered(arena, "best", 0.9, places=slice(0, None, 10), latency_p50_ms=0.0)
    quick, slow = (
        answered(arena, "other", 0.8, places=slice(5, None, 10), latency_p50_ms=each) for each in (0.0, 10.0)
    )
    left = [seconds_available(state_of([best, other], arena=arena)) for other in (quick, slow)]
    assert left[0] - left[1] == pytest.approx(20.0, abs=0.5)
    in_time = [
        can_refit(state_of([best, other], arena=arena, seconds=40.0), {"best": 0.5, "other": 0.5})
        for other in (quick, slow)
    ]
    assert in_time == [True, False]


def test_time_is_kept_for_the_test_rows():
    arena = replace(contest(), test_rows=4_000)
    slow = answered(arena, "slow", 0.9, places=slice(0, None, 10), latency_p50_ms=10.0)
    assert admission.closing_seconds(state_of(arena=arena)) == 0.0
    assert admission.closing_seconds(state_of([slow], arena=arena)) == pytest.approx(20.0)
    idle, own = (seconds_available(state_of(arena=arena), each) for each in (0.0, 0.005))
    assert idle - own == pytest.approx(20.0, abs=0.5)


def test_the_test_rows_take_what_was_estimated_for_a_row_among_many():
    arena = replace(contest(), test_rows=4_000)
    slow = answered(arena, "slow", 0.9, places=slice(0, None, 10), latency_p50_ms=10.0, row_seconds=0.012)
    assert admission.closing_seconds(state_of([slow], arena=arena)) == pytest.approx(48.0)


def test_time_is_kept_for_writing_a_large_package():
    arena = contest()
    small, large = (
        answered(arena, "best", 0.9, places=slice(0, None, 10), latency_p50_ms=0.0, size_mb=size)
        for size in (PACKED_BY_THE_WAY, PACKED_BY_THE_WAY + 500)
    )
    assert admission.closing_seconds(state_of([small], arena=arena)) == 0.0
    assert admission.closing_seconds(state_of([large], arena=arena)) == pytest.approx(500 * PACKING_SECONDS)


def test_a_mixture_is_made_where_most_of_it_can_be_refitted_after_that():
    arena = contest()
    outcomes = [answered(arena, name, 0.9, places=slice(0, None, 10)) for name in ("one", "other")]
    state = state_of(outcomes, arena=arena)
    once = refit_seconds(outcomes[0], arena, state.outcomes)
    weights = {"one": 0.7, "other": 0.3}
    assert can_refit(state, weights)
    assert can_refit(state, weights, spent=99.0 - 2 * once)
    assert not can_refit(state, weights, spent=101.0 - once)


def test_an_estimate_that_is_far_too_low_does_not_cost_all_the_time():
    plain = Entrant(Card("one", "", frozenset({"number"}), frozenset({"classify"})), Recipe())
    elastic = replace(plain, card=replace(plain.card, elastic=True))
    state = state_of()
    assert seconds_allowed(state, plain, Estimate(20.0, 1.0), 90.0, 1.0) == OVERRUN * 20.0
    assert seconds_allowed(state, plain, Estimate(0.1, 1.0), 90.0, 1.0) == OVERRUN_LEAST
    assert seconds_allowed(state, plain, Estimate(80.0, 1.0), 90.0, 1.0) == 90.0
    assert seconds_allowed(state, elastic, Estimate(0.1, 1.0), 90.0, 1.0) == 90.0


def test_the_latency_of_a_token_says_nothing_of_the_test_rows():
    arena = replace(contest(), test_rows=4_000)
    writer = answered(arena, "gpt", 0.9, places=slice(0, None, 10), latency_p50_ms=10.0)
    writes = replace(arena, task=Generate())
    assert admission.closing_seconds(state_of([writer], arena=writes)) == 0.0


@pytest.mark.parametrize(("takes", "probes"), [(0.0, 2), (0.5, 1)])
def test_a_probe_that_was_costly_itself_is_not_taken_twice(takes, probes):
    import time

    seen = []

    class Costly(Sees):
        def estimate(self, train, task, recipe, *, seed):
            time.sleep(takes)
            seen.append(1)
            return Estimate(9.0, 1.0)

    entrant = Entrant(Card("one", "", frozenset({"number"}), frozenset({"classify"})), Recipe())
    probe(state_of(seconds=10.0, family=Costly((1.0, 1.0))), entrant)
    assert len(seen) == probes
