"""The budgeted tournament: cheapest candidates first, under time, memory and limits; the best that may ship wins."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from headway.compute.clock import Clock
from headway.compute.memory import make_room
from headway.models.family import Estimate, Registry
from headway.package.combining import combine
from headway.training.admission import (
    bulk_seconds,
    by_cost,
    failure,
    mixing_seconds,
    refused,
    sample_share,
    seconds_allowed,
    seconds_available,
    seconds_wanted,
)
from headway.training.contest import Contest
from headway.training.ending import NO_TIME, can_refit, finish
from headway.training.ensemble import LEAN, SURE, gains_more_than_noise, loses_less, mix, select_weights
from headway.training.entrants import BASELINES, Entrant, Entries
from headway.training.events import CandidateStarted, Listen, Remark
from headway.training.footprints import Footprints
from headway.training.outcome import Outcome, Tournament
from headway.training.saturation import is_comparable, saturation, spared
from headway.training.state import State, conclude, unkept
from headway.training.storage import Begun, Store
from headway.training.trial import judged, try_candidate

ENSEMBLE = "ensemble"
ENSEMBLE_SIZE = 5


def compete(
    entries: Entries, registry: Registry, contest: Contest, *, clock: Clock, store: Store, listen: Listen
) -> Tournament:
    """Run the tournament and return the graph that ships.

    `clock` ends when everything here, the refit included, has to be done. Raises `BudgetError` when no candidate meets
    the limits.
    """
    ended = store.load_end()
    if ended is not None:
        return ended
    for remark in entries.remarks:
        listen(Remark(remark))
    entrants = {entrant.card.name: entrant for entrant in entries.entrants}
    with Footprints(contest) as footprints:
        state = State(contest, registry, clock, store, listen, footprints, entrants=entrants)
        tournament = hold(state, entries)
        outcomes = tuple(footprints.complete(outcome) for outcome in tournament.outcomes)
    tournament = replace(tournament, outcomes=outcomes)
    try:
        return store.save_end(tournament)
    except OSError as error:
        listen(unkept("the end of the tournament", error))
        return tournament


def hold(state: State, entries: Entries) -> Tournament:
    """Let the entrants take their turns, then mix them, and refit what ships."""
    for outcome in entries.turned_away:
        conclude(state, outcome, seconds=0.0)
    for tier in tiers(entries.entrants):
        order = by_cost(state, worth_starting(state, tier))
        for place, (entrant, estimate) in enumerate(order):
            run_entrant(state, entrant, estimate, waiting=writers_waiting(state, order[place:]))
    try_ensemble(state)
    return finish(state)


def tiers(entrants: tuple[Entrant, ...]) -> list[list[Entrant]]:
    """Order by what is known without a probe: the baseline, families without an extra, text encoders, and the rest.

    Encoders that stay as they are come before those that learn, whose probes alone take seconds. Networks that learn a
    language from nothing but the rows come after an encoder that knows it: they hardly ever do better, and the time
    that they take would be missing there.
    """
    baseline = [entrant for entrant in entrants if entrant.card.name in BASELINES]
    light = [entrant for entrant in entrants if entrant.card.name not in BASELINES and entrant.card.extra is None]
    heavy = [entrant for entrant in entrants if entrant.card.extra is not None]
    lettered = [entrant for entrant in heavy if entrant.card.base == "text_encoder" and not entrant.card.base_optional]
    frozen = [entrant for entrant in lettered if "torch" not in entrant.card.needs]
    tuned = [entrant for entrant in lettered if entrant not in frozen]
    return [baseline, light, frozen, tuned, [entrant for entrant in heavy if entrant not in lettered]]


def worth_starting(state: State, tier: list[Entrant]) -> list[Entrant]:
    """Return a tier without the candidates that are spared because nothing gains any more; they are told as skipped."""
    idle = [entrant for entrant in spared(tier) if state.store.load(entrant.card.name) is None]
    reason = saturation(state) if idle else None
    if reason is None:
        return tier
    for entrant in idle:
        conclude(state, Outcome(entrant.card.name, "skipped", reason), seconds=0.0)
    return [entrant for entrant in tier if entrant not in idle]


def writers_waiting(state: State, order: list[tuple[Entrant, Estimate]]) -> int:
    """Return how many candidates after the first of `order` share its time.

    Models that write train as long as they may: the first one would leave nothing to the next.
    """
    if state.contest.task.kind != "generate" or not order[0][0].card.elastic:
        return 0
    return sum(entrant.card.elastic and state.store.load(entrant.card.name) is None for entrant, _ in order[1:])


def run_entrant(state: State, entrant: Entrant, estimate: Estimate, *, waiting: int = 0) -> None:
    """Let one candidate take part, from admission to its outcome; no crash of its ends the run.

    It gets an equal part of the time that it and those `waiting` share.
    """
    name = entrant.card.name
    kept = state.store.load(name)
    if kept is not None:
        conclude(state, kept, seconds=kept.fit_seconds or 0.0, save=False)
        return
    started = time.monotonic()
    begun = state.store.begun(name)
    available = seconds_available(state, estimate.row_seconds) / (1 + waiting)
    share = sample_share(state, entrant, estimate, available) if begun is None else begun.share
    outcome = refused(state, entrant, estimate, available, share) if begun is None else None
    if outcome is None:
        wanted = seconds_wanted(entrant, estimate, state.contest)
        state.listen(CandidateStarted(name, wanted * share, state.seconds_left))
        clock = clock_of(state, entrant, begun, estimate=estimate, available=available, share=share)
        outcome = attempt(state, entrant, estimate, clock, share)
        make_room(state.contest.memory_mb)
    conclude(state, outcome, seconds=time.monotonic() - started)


def clock_of(
    state: State, entrant: Entrant, begun: Begun | None, *, estimate: Estimate, available: float, share: float
) -> Clock:
    """Return the clock of a candidate that begins, or that has `begun` in a killed run: with the time it had then.

    The baseline runs on any clock.
    """
    name, left = entrant.card.name, state.clock.left()
    if math.isinf(left) or name in BASELINES:
        return Clock()
    if begun is not None:
        return Clock.after(max(0.0, left - begun.leaves))
    allowed = seconds_allowed(state, entrant, estimate, available, share)
    state.store.begin(name, Begun(estimate, share, left - allowed))
    return Clock.after(allowed)


def attempt(state: State, entrant: Entrant, estimate: Estimate, clock: Clock, share: float) -> Outcome:
    """Run a candidate's trial; whatever it raises becomes a failed outcome."""
    contest = state.contest.seen_by(entrant.card)
    contest = contest if share == 1.0 else contest.thinned(share)
    try:
        trial = try_candidate(
            entrant,
            state.registry.load_for(entrant.card.name, contest.task),
            contest,
            estimate=estimate,
            clock=clock,
            rival=state.best,
        )
    except Exception as error:  # noqa: BLE001 - no candidate's crash ends the run
        return failure(entrant, error)
    if share < 1.0:
        return as_sampled(trial.outcome, share, len(contest.folds[0].train))
    if trial.whole is not None and trial.outcome.status == "ok":
        state.wholes[entrant.card.name] = trial.whole
    return trial.outcome


def as_sampled(outcome: Outcome, share: float, rows: int) -> Outcome:
    """Return the outcome of a candidate that learnt from a sample, saying so."""
    told = f"trained on a sample of {rows:,} rows, as the time allowed"
    return replace(outcome, sample=share, reason="; ".join(filter(None, [outcome.reason, told])))


def try_ensemble(state: State) -> None:
    """Add a weighted ensemble where it gains more than noise and its refit fits the time left."""
    if state.contest.task.kind == "generate":
        return  # texts are written by one model
    best = state.best
    kept = state.store.load(ENSEMBLE)
    if kept is not None:
        conclude(state, kept, seconds=0.0, save=False)
        return
    rows = len(state.contest.valid)
    ready = [outcome for outcome in state.outcomes.values() if is_comparable(outcome, rows)]
    if best not in ready or len(ready) < 2:
        return
    started = time.monotonic()
    strongest = sorted(ready, key=state.rank, reverse=True)[:ENSEMBLE_SIZE]
    assert best is not None
    outcome = build_ensemble(state, best, strongest)
    if outcome is not None:
        conclude(state, outcome, seconds=time.monotonic() - started)


def build_ensemble(state: State, best: Outcome, strongest: list[Outcome]) -> Outcome | None:
    """Return the judged ensemble of the strongest candidates, None where it is not worth its cost.

    It joins where it gains more than noise in the metric of the contest, which is often too coarse to tell near equals
    apart; then in the loss of each row, unless the best single one is clearly ahead in the metric. On little data and
    for tables, whose members cost little to serve, half a standard error suffices.
    """
    contest = state.contest
    answers = {outcome.name: outcome.answers for outcome in strongest if outcome.answers is not None}
    weights = select_weights(answers, contest.truth, contest.task)
    if len(weights) < 2 or best.answers is None:
        return None
    mixed = mix(answers, weights)
    if not is_ahead(mixed, best.answers, contest):
        has_base = any(state.entrants[name].card.base is not None for name in weights)
        is_cheap = len(contest.folds) > 1 or not (has_base or contest.examples.columns("text", "image"))
        errors = LEAN if is_cheap else SURE
        loses = loses_less(mixed, best.answers, contest.truth, contest.task, errors=errors)
        if not loses or is_ahead(best.answers, mixed, contest):
            return None
    members = [state.outcomes[name] for name in weights]
    # A large mixture is put together, measured and kept for seconds, in which its members could be refitted.
    if not can_refit(state, weights, spent=mixing_seconds(members)):
        return Outcome(ENSEMBLE, "skipped", NO_TIME)
    graphs = [member.graph for member in members if member.graph is not None]
    outcome = Outcome(
        ENSEMBLE,
        "ok",
        f"of {', '.join(f'{name} {weight:.2f}' for name, weight in weights.items())}",
        fit_seconds=sum(member.fit_seconds or 0.0 for member in members),
        row_seconds=sum(map(bulk_seconds, members)),
        members=weights,
        graph=combine(graphs, list(weights.values())),
        answers=mixed,
    )
    return judged(outcome, contest)


def is_ahead(answers: np.ndarray, others: np.ndarray, contest: Contest) -> bool:
    """Tell whether answers to the validation rows beat others by more than noise, in the contest's metric."""
    return gains_more_than_noise(answers, others, contest.truth, contest.task, metric=contest.metric, seed=contest.seed)
