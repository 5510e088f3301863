"""When little data has told what it can: whether another candidate is worth its time."""

from __future__ import annotations

import numpy as np

from headway.training.ensemble import mix, row_losses, select_weights
from headway.training.entrants import BASELINES, Entrant
from headway.training.outcome import Outcome
from headway.training.state import State

# So many candidates of different kinds have to agree that there is nothing more to find.
LEAST_CANDIDATES = 3
# One whose loss is within so many standard errors of the best one's is about as good.
_ABOUT_AS_GOOD = 2


def saturation(state: State) -> str | None:
    """Return why no further candidate is worth its time, or None where one may be.

    On little data (cross-validated rows) the best mix of the candidates so far is compared with the best mixes of all
    but one of them: where one that is about as good as the best lowered the mean loss by no more than the paired
    standard error, one more will hardly do better. One that is clearly weaker says nothing of that. The order in which
    they ran does not matter.
    """
    contest = state.contest
    ready = [outcome for outcome in state.outcomes.values() if is_comparable(outcome, len(contest.valid))]
    if len(contest.folds) == 1 or len(ready) < LEAST_CANDIDATES:
        return None
    alone = [best_mix_losses(state, [outcome]) for outcome in ready]
    least = min(alone, key=lambda losses: float(losses.mean()))
    together = best_mix_losses(state, ready)
    for one, losses in zip(reversed(ready), reversed(alone), strict=True):
        gained = best_mix_losses(state, [other for other in ready if other is not one]) - together
        if _is_within(losses - least, _ABOUT_AS_GOOD) and _is_within(gained, 1):
            return f"not tried: on {len(gained):,} rows {one.name} added nothing beyond noise, nor will this one"
    return None


def _is_within(difference: np.ndarray, errors: float) -> bool:
    """Tell whether the mean of paired differences is at most so many standard errors above 0."""
    return bool(difference.mean() <= errors * difference.std() / np.sqrt(len(difference)))


def is_comparable(outcome: Outcome, rows: int) -> bool:
    """Tell whether a candidate, not the baseline, has answers to all validation rows."""
    return (
        outcome.status == "ok"
        and outcome.name not in BASELINES
        and outcome.answers is not None
        and len(outcome.answers) == rows
    )


def best_mix_losses(state: State, outcomes: list[Outcome]) -> np.ndarray:
    """Return the row losses of the best weighted mean of some candidates, `[n]`."""
    contest = state.contest
    answers = {outcome.name: outcome.answers for outcome in outcomes if outcome.answers is not None}
    mixed = mix(answers, select_weights(answers, contest.truth, contest.task))
    return row_losses(mixed, contest.truth, contest.task)


def spared(tier: list[Entrant]) -> list[Entrant]:
    """Return who need not start once nothing gains: candidates that need an extra, unless the user named them.

    One with a pretrained base is not spared: it knows more than the rows, which is worth most where they are few.
    """
    return [entrant for entrant in tier if entrant.card.extra and not entrant.card.base and not entrant.asked_for]
