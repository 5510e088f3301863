"""The budgeted tournament: cheapest candidates first, under time, memory and limits; the best that may ship wins."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace

import psutil

from headway.compute.clock import Clock
from headway.compute.memory import release_memory
from headway.errors import BudgetError, HeadwayError
from headway.evaluation.metrics import greater_is_better
from headway.models.family import Estimate, Registry
from headway.package.combining import combine
from headway.package.parity import check_parity
from headway.training.calibration import calibrate_answers, calibrate_graph
from headway.training.contest import Contest
from headway.training.ensemble import gains_more_than_noise, loses_less, mix, select_weights
from headway.training.entrants import BASELINE, Entrant, Entries
from headway.training.events import BestSoFar, CandidateFinished, CandidateStarted, Listen, Remark
from headway.training.outcome import Outcome, Tournament
from headway.training.refit import Refitted, load_refitted, parity_rows, refit, refit_seconds, save_refitted
from headway.training.storage import Store
from headway.training.trial import PARITY_ROWS, columns_of, judged, try_candidate

ENSEMBLE = "ensemble"
ENSEMBLE_SIZE = 5
# An ensemble ships where members with this much of the weight can learn from all rows.
MOST_OF_IT = 0.5
# A candidate with less than this share of the time it wants is not worth starting. Every candidate obeys its clock, so
# an estimate that is too low costs no more than the time it was given; elastic ones make the most of little time.
ELASTIC_SHARE, SHARE = 0.05, 0.35
# Estimates are rather too high than too low: a sample is this much larger than one would say.
SAMPLE_BONUS, SMALLEST_SAMPLE = 1.5, 1000
# Probing a family with heavy imports takes seconds itself; it is left out where fewer are free.
HEAVY_SECONDS = 5.0
# From this share of the time left on, an estimate is worth a second probe.
WARM_SHARE = 0.1
MEASURE_SECONDS = 1.0
UNPROBED = "no time is left in the budget to find out what it needs"


@dataclass
class State:
    """The running tournament: what ended so far, and who leads."""

    contest: Contest
    registry: Registry
    clock: Clock
    store: Store
    listen: Listen
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    entrants: dict[str, Entrant] = field(default_factory=dict)

    @property
    def best(self) -> Outcome | None:
        """The best finished candidate that meets the limits."""
        ready = [outcome for outcome in self.outcomes.values() if outcome.status == "ok"]
        return max(ready, key=self.rank, default=None)

    def rank(self, outcome: Outcome) -> tuple[float, float]:
        """Return a sort key: the metric, then the cheaper one."""
        score = outcome.metrics[self.contest.metric]
        return (score if greater_is_better(self.contest.metric) else -score, -(outcome.latency_p50_ms or 0.0))

    @property
    def seconds_left(self) -> float | None:
        """Seconds left in the budget, None without one."""
        return None if math.isinf(self.clock.left()) else self.clock.left()


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
    state = State(contest, registry, clock, store, listen, entrants={e.card.name: e for e in entries.entrants})
    for remark in entries.remarks:
        listen(Remark(remark))
    for outcome in entries.turned_away:
        conclude(state, outcome, seconds=0.0)
    for tier in tiers(entries.entrants):
        for entrant, estimate in by_cost(state, tier):
            run_entrant(state, entrant, estimate)
    try_ensemble(state)
    tournament = finish(state)
    store.save_end(tournament)
    return tournament


def tiers(entrants: tuple[Entrant, ...]) -> list[list[Entrant]]:
    """Order by what is known without a probe: the baseline, then families without an extra, then the rest."""
    baseline = [entrant for entrant in entrants if entrant.card.name == BASELINE]
    light = [entrant for entrant in entrants if entrant.card.name != BASELINE and entrant.card.extra is None]
    heavy = [entrant for entrant in entrants if entrant.card.extra is not None]
    return [baseline, light, heavy]


def by_cost(state: State, tier: list[Entrant]) -> list[tuple[Entrant, Estimate]]:
    """Probe the candidates of a tier and return them cheapest first; one that fails its probe is out."""
    probed: list[tuple[Entrant, Estimate]] = []
    for entrant in tier:
        kept = state.store.load(entrant.card.name)
        if kept is not None:
            probed.append((entrant, Estimate(kept.estimated_seconds or 0.0, 0.0)))
            continue
        least = 0.0 if entrant.card.extra is None else HEAVY_SECONDS
        if entrant.card.name != BASELINE and seconds_available(state) <= least:
            conclude(state, Outcome(entrant.card.name, "skipped", UNPROBED), seconds=0.0)
            continue
        started = time.monotonic()
        try:
            probed.append((entrant, probe(state, entrant)))
        except Exception as error:  # noqa: BLE001 - no candidate's crash ends the run
            conclude(state, failure(entrant, error), seconds=time.monotonic() - started)
    # Steps of a factor of two, so that a noisy probe does not change the order from run to run.
    return sorted(probed, key=lambda pair: (round(math.log2(max(pair[1].seconds, 0.1))), pair[0].card.name))


def probe(state: State, entrant: Entrant) -> Estimate:
    """Return what one fold of a candidate will cost.

    A first probe also pays for imports, thread pools and cold caches: where its figure would count against the
    candidate, the lower one of two probes is taken.
    """
    contest = state.contest
    train = contest.examples.take(contest.folds[0].train)
    family = state.registry.load(entrant.card.name)
    first = family.estimate(train, contest.task, entrant.recipe, seed=contest.seed)
    if first.seconds * len(contest.folds) < state.clock.left() * WARM_SHARE:
        return first
    second = family.estimate(train, contest.task, entrant.recipe, seed=contest.seed)
    return min(first, second, key=lambda estimate: estimate.seconds)


def run_entrant(state: State, entrant: Entrant, estimate: Estimate) -> None:
    """Let one candidate take part, from admission to its outcome; no crash of its ends the run."""
    name = entrant.card.name
    kept = state.store.load(name)
    if kept is not None:
        conclude(state, kept, seconds=kept.fit_seconds or 0.0, save=False)
        return
    started = time.monotonic()
    available = seconds_available(state)
    share = sample_share(state, entrant, estimate, available)
    outcome = refused(state, entrant, estimate, available, share)
    if outcome is None:
        state.listen(CandidateStarted(name, estimate.seconds * len(state.contest.folds) * share, state.seconds_left))
        outcome = attempt(state, entrant, estimate, available, share)
        release_memory()
    conclude(state, outcome, seconds=time.monotonic() - started)


def seconds_available(state: State) -> float:
    """Return the time a candidate may use: what is left without the refit of the best so far."""
    best = state.best
    reserve = 0.0 if best is None else refit_seconds(best, state.contest, state.outcomes)
    finishing = MEASURE_SECONDS if best is None or best.name == BASELINE else 2 * MEASURE_SECONDS
    return state.clock.left() - reserve - finishing


def sample_share(state: State, entrant: Entrant, estimate: Estimate, available: float) -> float:
    """Return the share of the training rows that a candidate learns from: all, unless only a sample fits the time."""
    wanted = estimate.seconds * len(state.contest.folds)
    if entrant.card.elastic or entrant.card.name == BASELINE or wanted * SHARE <= available:
        return 1.0
    share = max(available, 0.0) / wanted * SAMPLE_BONUS
    return share if share * len(state.contest.folds[0].train) >= SMALLEST_SAMPLE else 1.0


def refused(state: State, entrant: Entrant, estimate: Estimate, available: float, share: float) -> Outcome | None:
    """Return the outcome of a candidate that may not start, or None when it may."""
    if entrant.card.name == BASELINE:
        return None
    wanted = estimate.seconds * len(state.contest.folds)
    needed = wanted * (ELASTIC_SHARE if entrant.card.elastic else SHARE) * (1.0 if share == 1.0 else 0.0)
    release_memory()
    memory_free = state.contest.memory_mb - psutil.Process().memory_info().rss / 1e6
    reason = ""
    if needed > available:
        reason = f"needs about {wanted:.1f} s, {max(0.0, available):.1f} s are free in the budget"
    elif estimate.memory_mb > memory_free:
        reason = f"needs about {estimate.memory_mb:.0f} MB, {max(0.0, memory_free):.0f} MB are free in the budget"
    if not reason:
        return None
    return Outcome(entrant.card.name, "skipped", reason, estimated_seconds=estimate.seconds)


def attempt(state: State, entrant: Entrant, estimate: Estimate, available: float, share: float) -> Outcome:
    """Run a candidate's trial; whatever it raises becomes a failed outcome. The baseline runs on any clock."""
    unhurried = math.isinf(available) or entrant.card.name == BASELINE
    clock = Clock() if unhurried else Clock.after(max(available, 0.0))
    contest = state.contest if share == 1.0 else state.contest.thinned(share)
    try:
        outcome = try_candidate(
            entrant,
            state.registry.load(entrant.card.name),
            contest,
            estimate=estimate,
            clock=clock,
            rival=state.best,
        )
        return outcome if share == 1.0 else as_sampled(outcome, share, len(contest.folds[0].train))
    except Exception as error:  # noqa: BLE001 - no candidate's crash ends the run
        return failure(entrant, error)


def as_sampled(outcome: Outcome, share: float, rows: int) -> Outcome:
    """Return the outcome of a candidate that learnt from a sample, saying so."""
    told = f"trained on a sample of {rows:,} rows, as the time allowed"
    return replace(outcome, sample=share, reason="; ".join(filter(None, [outcome.reason, told])))


def failure(entrant: Entrant, error: Exception) -> Outcome:
    """Return the outcome of a candidate that raised."""
    said = str(error).strip() or "no message"
    reason = said if isinstance(error, HeadwayError) else f"{type(error).__name__}: {said}"
    return Outcome(entrant.card.name, "failed", reason)


def conclude(state: State, outcome: Outcome, *, seconds: float, save: bool = True) -> None:
    """Record an outcome, keep it on disk, tell the listener, and name a new leader."""
    leader = state.best
    state.outcomes[outcome.name] = outcome
    if save:
        state.store.save(outcome)
    metric = state.contest.metric
    state.listen(
        CandidateFinished(
            outcome.name,
            outcome.status,
            outcome.reason,
            metric,
            outcome.metrics.get(metric),
            seconds,
            state.seconds_left,
        )
    )
    best = state.best
    if best is not None and best is not leader:
        state.listen(BestSoFar(best.name, metric, best.metrics[metric]))


def try_ensemble(state: State) -> None:
    """Add a weighted ensemble where it gains more than noise and its refit fits the time left."""
    best = state.best
    kept = state.store.load(ENSEMBLE)
    if kept is not None:
        conclude(state, kept, seconds=0.0, save=False)
        return
    rows = len(state.contest.valid)
    ready = [
        outcome
        for outcome in state.outcomes.values()
        if outcome.status == "ok" and outcome.name != BASELINE and outcome.answers is not None
        if len(outcome.answers) == rows
    ]
    if best not in ready or len(ready) < 2:
        return
    started = time.monotonic()
    strongest = sorted(ready, key=state.rank, reverse=True)[:ENSEMBLE_SIZE]
    assert best is not None
    outcome = build_ensemble(state, best, strongest)
    if outcome is not None:
        conclude(state, outcome, seconds=time.monotonic() - started)


def build_ensemble(state: State, best: Outcome, strongest: list[Outcome]) -> Outcome | None:
    """Return the judged ensemble of the strongest candidates, None where it is not worth its cost."""
    contest = state.contest
    answers = {outcome.name: outcome.answers for outcome in strongest if outcome.answers is not None}
    weights = select_weights(answers, contest.truth, contest.task)
    if len(weights) < 2 or best.answers is None:
        return None
    mixed = mix(answers, weights)
    gains = gains_more_than_noise(
        mixed, best.answers, contest.truth, contest.task, metric=contest.metric, seed=contest.seed
    )
    # On little data a headline figure is too coarse to tell near equals apart; the loss of each row is not.
    small = len(contest.folds) > 1
    if not gains and not (small and loses_less(mixed, best.answers, contest.truth, contest.task)):
        return None
    members = [state.outcomes[name] for name in weights]
    graphs = [member.graph for member in members if member.graph is not None]
    outcome = Outcome(
        ENSEMBLE,
        "ok",
        f"of {', '.join(f'{name} {weight:.2f}' for name, weight in weights.items())}",
        fit_seconds=sum(member.fit_seconds or 0.0 for member in members),
        members=weights,
        graph=combine(graphs, list(weights.values())),
        answers=mixed,
    )
    return judged(outcome, contest)


def finish(state: State) -> Tournament:
    """Refit the winner as time allows and return what ships; raises `BudgetError` when nothing may."""
    best = state.best
    if best is None:
        raise no_candidate_fits(state)
    tell_of_small_budget(state, best)
    best = affordable(state, best)
    ships, refitted = refit_winner(state, best)
    state.outcomes[best.name] = replace(best, status="won")
    assert best.answers is not None
    return Tournament(
        tuple(state.outcomes.values()),
        best.name,
        ships.graph,
        state.contest.metric,
        refitted,
        best.answers,
        ships.answers,
    )


def as_compared(outcome: Outcome, contest: Contest) -> Refitted:
    """Return the model of the first fold, as it was compared with the others; other folds' rows met other models."""
    assert outcome.graph is not None
    assert outcome.answers is not None
    return Refitted(outcome.graph, outcome.answers[: min(PARITY_ROWS, len(contest.folds[0].valid))])


def no_candidate_fits(state: State) -> BudgetError:
    """Return the error that lists by how much each candidate missed."""
    listed = "; ".join(f"{outcome.name}: {outcome.reason}" for outcome in state.outcomes.values())
    return BudgetError(
        "no candidate meets the limits",
        expected=", ".join(f"{name} <= {value:g}" for name, value in state.contest.limits.items()) or "a candidate",
        got=listed or "no candidate took part",
        fix="relax `limits`, or allow more families in `models`",
    )


def tell_of_small_budget(state: State, best: Outcome) -> None:
    """Say so when the budget held nothing but the baseline."""
    skipped = [outcome for outcome in state.outcomes.values() if outcome.status == "skipped"]
    late = [o.estimated_seconds * len(state.contest.folds) for o in skipped if o.estimated_seconds]
    over = [outcome.name for outcome in state.outcomes.values() if outcome.status == "over_limit"]
    if best.name == BASELINE and over:
        state.listen(Remark(f"only the baseline meets the limits: {', '.join(over)} went over them"))
    if best.name != BASELINE or not (late or any(outcome.reason == UNPROBED for outcome in skipped)):
        return
    need = f"the cheapest other candidate needs about {min(late):.0f} s more for its training" if late else UNPROBED
    state.listen(Remark(f"the budget holds only the baseline: {need}"))


def affordable(state: State, best: Outcome) -> Outcome:
    """Return the ensemble if the members with most of its weight can be refitted in time; else the best single one."""
    if not best.members:
        return best
    left, ready = state.clock.left(), 0.0
    costs = {name: refit_seconds(state.outcomes[name], state.contest, state.outcomes) for name in best.members}
    for name in sorted(costs, key=costs.__getitem__):
        left -= costs[name]
        ready += best.members[name] if left >= 0 else 0.0
    if ready >= MOST_OF_IT:
        return best
    state.outcomes[best.name] = replace(best, status="dropped", reason="no time left to refit its members")
    single = state.best
    assert single is not None
    return single


def refit_winner(state: State, chosen: Outcome) -> tuple[Refitted, bool]:
    """Return the chosen candidate with all members refitted that there is time for, and whether that is all of them."""
    weights = chosen.members or {chosen.name: 1.0}
    parts: dict[str, Refitted] = {}
    left_out: list[str] = []
    for name in sorted(weights, key=lambda name: refit_seconds(state.outcomes[name], state.contest, state.outcomes)):
        again = refit_in_time(state, name)
        if again is None:
            left_out.append(name)
        parts[name] = again or as_compared(state.outcomes[name], state.contest)
    if left_out:
        names = ", ".join(left_out)
        state.listen(Remark(f"{names} ships as trained for the comparison: no time left to train on all rows"))
    if not chosen.members:
        return parts[chosen.name], not left_out
    return assemble(state, chosen, {name: parts[name] for name in weights}), not left_out


def refit_in_time(state: State, name: str) -> Refitted | None:
    """Return a member refitted on all rows, None where time does not allow it or it fails."""
    kept = load_refitted(state.store, f"refit_{name}")
    if kept is not None:
        return kept
    outcome = state.outcomes[name]
    if refit_seconds(outcome, state.contest, state.outcomes) > state.clock.left() and name != BASELINE:
        return None
    try:
        return refit_one(state, name)
    except Exception as error:  # noqa: BLE001 - the model trained for the comparison is still good
        state.listen(Remark(f"the refit of {name} failed: {error}"))
        return None


def assemble(state: State, chosen: Outcome, parts: dict[str, Refitted]) -> Refitted:
    """Return an ensemble of (mostly) refitted members as one calibrated graph, checked against their mean."""
    weights = chosen.members
    graph = calibrate_graph(combine([part.graph for part in parts.values()], list(weights.values())), chosen)
    # A member that was not refitted vouches for the rows of its first fold only.
    shared = min(len(part.answers) for part in parts.values())
    expected = calibrate_answers(mix({name: part.answers[:shared] for name, part in parts.items()}, weights), chosen)
    contest = state.contest
    check_parity(graph, columns_of(contest.examples.rows[parity_rows(contest)[:shared]]), expected)
    return Refitted(graph, expected)


def refit_one(state: State, name: str) -> Refitted:
    """Refit one member and keep it, so that a killed run need not do it again."""
    refitted = refit(
        state.entrants[name], state.registry.load(name), state.outcomes[name], state.contest, clock=state.clock
    )
    save_refitted(state.store, f"refit_{name}", refitted)
    return refitted
