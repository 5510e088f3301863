"""The winner once more, on all training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headway.compute.clock import Clock
from headway.models.family import Family, Fitted
from headway.package.graph import Graph
from headway.training.calibration import calibrate_answers, calibrate_graph
from headway.training.contest import Contest
from headway.training.entrants import Entrant
from headway.training.outcome import Outcome
from headway.training.storage import Store
from headway.training.trial import PARITY_ROWS, export

# A refit may take longer than the fits it is judged by; the budget has to hold all the same.
REFIT_MARGIN = 1.15


@dataclass(frozen=True)
class Refitted:
    """A calibrated graph, and what the trained model answers on the parity rows, calibrated alike."""

    graph: Graph
    answers: np.ndarray


def refit_seconds(outcome: Outcome, contest: Contest, outcomes: Mapping[str, Outcome]) -> float:
    """Return the seconds that fitting an outcome (all members of an ensemble) on all training rows should take."""
    if outcome.members:
        return sum(refit_seconds(outcomes[name], contest, outcomes) for name in outcome.members)
    fitting = (outcome.fit_seconds or 0.0) - outcome.tuning_seconds
    return fitting / outcome.fits / outcome.sample * contest.refit_ratio * REFIT_MARGIN


def parity_rows(contest: Contest) -> np.ndarray:
    """Return the positions of the rows on which trained and exported model are compared."""
    return contest.valid[:PARITY_ROWS]


def refit(entrant: Entrant, family: Family, outcome: Outcome, contest: Contest, *, clock: Clock) -> Fitted:
    """Fit on all training rows with the settings that were chosen before."""
    return family.fit(
        contest.examples.take(contest.train),
        None,
        contest.task,
        entrant.recipe,
        settings=outcome.settings,
        seed=contest.seed,
        clock=clock,
    )


def exported(fitted: Fitted, outcome: Outcome, contest: Contest) -> Refitted:
    """Check, export and calibrate a model of all training rows as it was done for the comparison."""
    rows = contest.examples.take(parity_rows(contest))
    answers = fitted.predict(rows.rows)
    graph = export(fitted, rows, answers, contest.task)
    assert graph is not None
    return Refitted(calibrate_graph(graph, outcome), calibrate_answers(answers, outcome, contest.task))


def load_refitted(store: Store, name: str) -> Refitted | None:
    """Return a refitted member of an earlier, killed run, or None."""
    kept = store.load(name)
    if kept is None or kept.graph is None or kept.answers is None:
        return None
    return Refitted(kept.graph, kept.answers)
