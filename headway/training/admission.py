"""Who may start: what a candidate will cost, and whether that fits the time and memory left."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

import numpy as np

from headway.compute.memory import make_room
from headway.errors import HeadwayError
from headway.models.family import Estimate
from headway.training.contest import Contest
from headway.training.ensemble import select_weights
from headway.training.entrants import BASELINES, Entrant
from headway.training.outcome import Outcome
from headway.training.refit import refit_seconds
from headway.training.saturation import is_comparable
from headway.training.state import State, conclude

# A candidate with less than this share of the time it wants is not worth starting. Every candidate obeys its clock, so
# an estimate that is too low costs no more than the time it was given; elastic ones make the most of little time.
ELASTIC_SHARE, SHARE = 0.05, 0.35
# Estimates are rather too high than too low: a sample is this much larger than one would say.
SAMPLE_BONUS, SMALLEST_SAMPLE = 1.5, 1000
# A candidate that takes so many times what was estimated, and at least so many seconds, stops for the sake of others.
OVERRUN, OVERRUN_LEAST = 3.0, 10.0
# What a fit with settings that are known takes of one that has to find them.
REPLAY_SHARE = 0.2
# Probing a family with heavy imports takes seconds itself; it is left out where fewer are free.
HEAVY_SECONDS = 5.0
# From this share of the time left on, an estimate is worth a second probe.
WARM_SHARE = 0.1
# Export, parity and measuring after a fit: seconds, more where much is left, since what then starts is heavier; a
# candidate that takes longer than that takes it from the refit of the best.
MEASURE_SECONDS, MEASURE_MOST, MEASURE_SHARE = 1.0, 2.5, 0.05
# Rows among many take this share of the time of one alone.
IN_BULK = 0.5
# A large model takes time to be written, opened and measured: seconds a megabyte, above what the tail of a run holds.
PACKING_SECONDS, PACKED_BY_THE_WAY = 0.1, 20.0
# Members with this much of the weight are likely to ship.
LIKELY = 0.2
# A probe that took this share of the time left is not taken twice.
PROBE_SHARE = 0.03
UNPROBED = "no time is left in the budget to find out what it needs"


def by_cost(state: State, tier: list[Entrant]) -> list[tuple[Entrant, Estimate]]:
    """Probe the candidates of a tier and return them cheapest first; one that fails its probe is out."""
    probed: list[tuple[Entrant, Estimate]] = []
    for entrant in tier:
        kept = state.store.load(entrant.card.name)
        if kept is not None:
            probed.append((entrant, Estimate(kept.estimated_seconds or 0.0, 0.0)))
            continue
        begun = state.store.begun(entrant.card.name)
        if begun is not None:
            probed.append((entrant, begun.estimate))
            continue
        surplus = too_many_rows(state.contest, entrant)
        if surplus:
            conclude(state, Outcome(entrant.card.name, "skipped", surplus), seconds=0.0)
            continue
        least = 0.0 if entrant.card.extra is None else HEAVY_SECONDS
        if entrant.card.name not in BASELINES and seconds_available(state) <= least:
            conclude(state, Outcome(entrant.card.name, "skipped", UNPROBED), seconds=0.0)
            continue
        started = time.monotonic()
        try:
            probed.append((entrant, probe(state, entrant)))
        except Exception as error:  # noqa: BLE001 - no candidate's crash ends the run
            conclude(state, failure(entrant, error), seconds=time.monotonic() - started)
    # Steps of a factor of two, so that a noisy probe does not change the order from run to run.
    return sorted(probed, key=lambda pair: (round(math.log2(max(pair[1].seconds, 0.1))), pair[0].card.name))


def too_many_rows(contest: Contest, entrant: Entrant) -> str | None:
    """Return why a family for few rows stays out, or None where it may take part."""
    most = entrant.card.most_rows_a_label
    if most is None or entrant.asked_for or contest.task.kind != "classify":
        return None
    usual = float(np.median(np.unique(contest.examples.y[contest.train], return_counts=True)[1]))
    return f"made for up to {most} rows a label; here a usual label has {usual:.0f}" if usual > most else None


def probe(state: State, entrant: Entrant) -> Estimate:
    """Return what one fold of a candidate will cost.

    A first probe also pays for imports, thread pools and cold caches: where its figure would count against the
    candidate, the lower one of two probes is taken, unless the first one was costly itself.
    """
    contest = state.contest.seen_by(entrant.card)
    train = contest.examples.take(contest.folds[0].train)
    family = state.registry.load_for(entrant.card.name, contest.task)
    left = state.clock.left()
    first = family.estimate(train, contest.task, entrant.recipe, seed=contest.seed)
    took = left - state.clock.left()
    if seconds_wanted(entrant, first, contest) < left * WARM_SHARE or took > left * PROBE_SHARE:
        return first
    second = family.estimate(train, contest.task, entrant.recipe, seed=contest.seed)
    return min(first, second, key=lambda estimate: estimate.seconds)


def seconds_wanted(entrant: Entrant, estimate: Estimate, contest: Contest) -> float:
    """Return what a candidate's comparison takes: a fit for each fold, or one with a search and a replay for each."""
    folds = len(contest.folds)
    fits = 1 + REPLAY_SHARE * folds if entrant.card.self_tuning and folds > 1 else folds
    return estimate.seconds * fits


def seconds_available(state: State, row_seconds: float = 0.0) -> float:
    """Return the time a candidate may use: what is left without the refit and the test of what would ship.

    `row_seconds`: what the candidate takes to answer a row, should it be the one that ships.
    """
    best = state.best
    likely = [state.outcomes[name] for name in likely_winners(state)]
    reserve = sum(refit_seconds(outcome, state.contest, state.outcomes) for outcome in likely)
    reserve += mixing_seconds(likely) if len(likely) > 1 else 0.0
    measuring = max(MEASURE_SECONDS, min(MEASURE_MOST, MEASURE_SHARE * state.clock.left()))
    finishing = measuring if best is None or best.name in BASELINES else 2 * measuring
    closing = max(closing_of(state, likely), state.contest.test_rows * row_seconds)
    return state.clock.left() - reserve - finishing - closing


def closing_seconds(state: State) -> float:
    """Return about how long the best so far will take for the test rows and to be packaged."""
    return 0.0 if state.best is None else closing_of(state, [state.best])


def closing_of(state: State, members: Iterable[Outcome]) -> float:
    """Return about how long a mixture of `members` takes for the test rows, which the cores share, and to be packaged.

    What writes is left out: its latency is that of a token, and the time for its test is kept beforehand.
    """
    if state.contest.task.kind == "generate":
        return 0.0
    rows = state.contest.test_rows
    return sum(rows * bulk_seconds(each) + packing_seconds(each) for each in members if each.latency_p50_ms is not None)


def bulk_seconds(outcome: Outcome) -> float:
    """Return about what a row among many takes: as was estimated, else a part of what one alone takes.

    Long texts keep all cores busy one by one, and the usual row is shorter than the mean one.
    """
    return outcome.row_seconds or IN_BULK * (outcome.latency_p50_ms or 0.0) / 1000


def packing_seconds(outcome: Outcome) -> float:
    """Return about how long a large model takes to be written and opened, beyond what every model does."""
    return PACKING_SECONDS * max(0.0, (outcome.size_mb or 0.0) - PACKED_BY_THE_WAY)


def mixing_seconds(members: Iterable[Outcome]) -> float:
    """Return about how long a mixture of large models takes to be put together, measured and kept."""
    return 2 * sum(map(packing_seconds, members))


def likely_winners(state: State) -> list[str]:
    """Return whose refit is due if no other candidate comes: the best, or those that count most in the best mix."""
    best = state.best
    if best is None:
        return []
    rows = len(state.contest.valid)
    ready = {o.name: o.answers for o in state.outcomes.values() if is_comparable(o, rows) and o.answers is not None}
    if best.name not in ready or len(ready) < 2:
        return [best.name]
    weights = select_weights(ready, state.contest.truth, state.contest.task)
    return [best.name, *(name for name, weight in weights.items() if weight >= LIKELY and name != best.name)]


def seconds_allowed(state: State, entrant: Entrant, estimate: Estimate, available: float, share: float) -> float:
    """Return the time that a candidate gets: what is available, and where its estimate is far too low, not all of that.

    Elastic ones, which plan to use what there is, get everything.
    """
    if entrant.card.elastic:
        return max(available, 0.0)
    wanted = seconds_wanted(entrant, estimate, state.contest) * share
    return max(0.0, min(available, max(OVERRUN * wanted, OVERRUN_LEAST)))


def sample_share(state: State, entrant: Entrant, estimate: Estimate, available: float) -> float:
    """Return the share of the training rows that a candidate learns from: all, unless only a sample fits the time."""
    wanted = seconds_wanted(entrant, estimate, state.contest)
    is_whole = entrant.card.elastic or not entrant.card.samples or entrant.card.name in BASELINES
    if is_whole or wanted * SHARE <= available:
        return 1.0
    share = max(available, 0.0) / wanted * SAMPLE_BONUS
    return share if share * len(state.contest.folds[0].train) >= SMALLEST_SAMPLE else 1.0


def refused(state: State, entrant: Entrant, estimate: Estimate, available: float, share: float) -> Outcome | None:
    """Return the outcome of a candidate that may not start, or None when it may."""
    if entrant.card.name in BASELINES:
        return None
    wanted = seconds_wanted(entrant, estimate, state.contest)
    needed = wanted * (ELASTIC_SHARE if entrant.card.elastic else SHARE) * (1.0 if share == 1.0 else 0.0)
    memory_free = make_room(state.contest.memory_mb)
    reason = ""
    if needed > available:
        reason = f"needs about {wanted:.1f} s, {max(0.0, available):.1f} s are free in the budget"
    elif estimate.memory_mb > memory_free:
        reason = f"needs about {estimate.memory_mb:.0f} MB, {max(0.0, memory_free):.0f} MB are free in the budget"
    if not reason:
        return None
    return Outcome(entrant.card.name, "skipped", reason, estimated_seconds=estimate.seconds)


def failure(entrant: Entrant, error: Exception) -> Outcome:
    """Return the outcome of a candidate that raised."""
    said = str(error).strip() or "no message"
    reason = said if isinstance(error, HeadwayError) else f"{type(error).__name__}: {said}"
    return Outcome(entrant.card.name, "failed", reason)
