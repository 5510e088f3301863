"""The end of a tournament: the winner refitted as time allows, and what ships."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from headway.errors import BudgetError
from headway.models.going_on import GOES_ON_FROM
from headway.package.combining import combine
from headway.package.parity import check_parity
from headway.training.admission import UNPROBED, closing_of, closing_seconds
from headway.training.calibration import calibrate_answers, calibrate_graph
from headway.training.contest import Contest
from headway.training.ensemble import mix
from headway.training.entrants import BASELINES
from headway.training.events import Remark
from headway.training.outcome import Outcome, Tournament
from headway.training.refit import (
    Refitted,
    exported,
    load_refitted,
    parity_rows,
    refit,
    refit_seconds,
)
from headway.training.state import State, keep
from headway.training.trial import PARITY_ROWS, columns_of

# An ensemble ships where members with this much of the weight can learn from all rows.
MOST_OF_IT = 0.5
NO_TIME = "no time left to refit its members"


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
    said = ((outcome.name, outcome.reason.split("\n")[0]) for outcome in state.outcomes.values() if outcome.reason)
    listed = "; ".join(f"{name}: {reason}" for name, reason in said)
    if state.contest.task.kind == "generate" and not state.contest.limits:
        return BudgetError(
            "no model that writes could be trained, and the yardstick does not ship",
            expected="a candidate that trains in the time there is",
            got=listed or "no candidate took part",
            fix="raise budget.time, or install what a candidate needs",
        )
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
    if best.name in BASELINES and over:
        state.listen(Remark(f"only the baseline meets the limits: {', '.join(over)} went over them"))
    if best.name not in BASELINES or not (late or any(outcome.reason == UNPROBED for outcome in skipped)):
        return
    need = f"the cheapest other candidate needs about {min(late):.0f} s more for its training" if late else UNPROBED
    state.listen(Remark(f"the budget holds only the baseline: {need}"))


def affordable(state: State, best: Outcome) -> Outcome:
    """Return the ensemble if the members with most of its weight can be refitted in time; else the best single one."""
    if not best.members:
        return best
    if can_refit(state, best.members):
        return best
    state.outcomes[best.name] = replace(best, status="dropped", reason=NO_TIME)
    single = state.best
    assert single is not None
    return single


def can_refit(state: State, weights: Mapping[str, float], *, spent: float = 0.0) -> bool:
    """Tell whether members with most of the weight can be refitted in time, once `spent` seconds have passed."""
    closing = closing_of(state, (state.outcomes[name] for name in weights))
    left, ready = state.clock.left() - closing - spent, 0.0
    costs = {name: refit_seconds(state.outcomes[name], state.contest, state.outcomes) for name in weights}
    for name in sorted(costs, key=costs.__getitem__):
        left -= costs[name]
        ready += weights[name] if left >= 0 else 0.0
    return ready >= MOST_OF_IT


def refit_winner(state: State, chosen: Outcome) -> tuple[Refitted, bool]:
    """Return the chosen candidate with all members refitted that there is time for, and whether that is all of them."""
    if state.contest.task.kind == "generate":
        return refit_writer(state, chosen)
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


def refit_writer(state: State, chosen: Outcome) -> tuple[Refitted, bool]:
    """Return a model that writes: gone on with through the held-out texts where it can be, else as it was compared.

    It has had the time there was; to begin anew would cost as much again.
    """
    again = refit_in_time(state, chosen.name) if GOES_ON_FROM in chosen.settings else None
    return (as_compared(chosen, state.contest), False) if again is None else (again, True)


def refit_in_time(state: State, name: str) -> Refitted | None:
    """Return a member refitted on all rows, None where time does not allow it or it fails."""
    kept = load_refitted(state.store, f"refit_{name}")
    if kept is not None:
        return kept
    outcome = state.outcomes[name]
    late = refit_seconds(outcome, state.contest, state.outcomes) > state.clock.left() - closing_seconds(state)
    if late and name not in BASELINES and name not in state.wholes:
        return None
    try:
        return refit_one(state, name)
    except Exception as error:  # noqa: BLE001 - the model trained for the comparison is still good
        state.listen(Remark(f"the refit of {name} failed: {error}"))
        return None


def refit_one(state: State, name: str) -> Refitted:
    """Refit one member, unless its search for settings has done so, and keep it for a run that is killed later."""
    outcome, fitted, entrant = state.outcomes[name], state.wholes.get(name), state.entrants[name]
    contest = state.contest.seen_by(entrant.card)
    if fitted is None:
        fitted = refit(entrant, state.registry.load_for(name, contest.task), outcome, contest, clock=state.clock)
    again = exported(fitted, outcome, contest)
    kept = keep(state, Outcome(f"refit_{name}", "ok", graph=again.graph, answers=again.answers), what=f"refit_{name}")
    assert kept.graph is not None
    return Refitted(kept.graph, again.answers)


def assemble(state: State, chosen: Outcome, parts: dict[str, Refitted]) -> Refitted:
    """Return an ensemble of (mostly) refitted members as one calibrated graph, checked against their mean."""
    weights = chosen.members
    graph = calibrate_graph(combine([part.graph for part in parts.values()], list(weights.values())), chosen)
    # A member that was not refitted vouches for the rows of its first fold only.
    shared = min(len(part.answers) for part in parts.values())
    contest = state.contest
    mixed = mix({name: part.answers[:shared] for name, part in parts.items()}, weights)
    expected = calibrate_answers(mixed, chosen, contest.task)
    check_parity(graph, columns_of(contest.examples.rows[parity_rows(contest)[:shared]]), expected)
    return Refitted(graph, expected)
