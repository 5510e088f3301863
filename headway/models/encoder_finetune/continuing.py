"""A fit on all rows that goes on where the one on part of them ended: on the new rows, and as many of the old ones.

To begin anew would cost the whole course once more. In the same time one course and a little more goes deeper than two.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from torch import nn

from headway.compute.clock import Clock
from headway.encoders.states import keys_of
from headway.models.encoder_finetune.preparing import Assignment
from headway.models.family import Settings
from headway.models.going_on import GOES_ON_FROM, ROWS_A_NEW_ONE, rows_to_go_on_with
from headway.networks.batches import Sequences
from headway.networks.checkpoints import Checkpoints, Values, values_of
from headway.networks.plan import Plan

# New rows are met once, at this share of the rate: what was learnt from the others is to last.
RATE_SHARE = 0.25
# Opening the base again, in seconds; and what a step may take longer than before.
OPENING, MARGIN = 3.0, 1.3
# What is kept of the time for all that follows a fit on part of the rows, beside going on from it.
HELD_BACK = 0.15
# Where the clock cuts a course short, going on from it takes a larger share: it is reckoned with so few epochs.
FEW_EPOCHS = 2


@dataclass(frozen=True)
class Begun:
    """The weights that a fit ended with, and digests of the rows that it learnt from."""

    values: Values
    seen: frozenset[bytes]

    def positions(self, assignment: Assignment) -> np.ndarray:
        """Return the rows to go on with: all that are new, and as many of the others; int64, in their order."""
        return rows_to_go_on_with(_rows_of(assignment), self.seen, seed=assignment.seed)


def keep(network: nn.Module, assignment: Assignment, scratch: Path) -> None:
    """Keep what a fit learnt under `scratch`, all or nothing, for `begun` to find; a full disk keeps nothing."""
    _file(scratch, assignment.name).save({"values": values_of(network), "seen": _rows_of(assignment)})


def begun(settings: Settings | None, scratch: Path, *, clock: Clock) -> Begun | None:
    """Return the fit that the settings name, None where there is none, or where folds found the base as it was better.

    Where time does not press there is none either: such a fit begins anew, and two of them are equal.
    """
    settings = settings or {}
    if GOES_ON_FROM not in settings or not settings.get("best_epoch") or math.isinf(clock.deadline):
        return None
    kept = _file(scratch, str(settings[GOES_ON_FROM])).load()
    return None if kept is None else Begun(kept["values"], frozenset(kept["seen"]))


def gentler(plan: Plan) -> Plan:
    """Return the plan to go on with: once through the rows, at a lower rate."""
    return replace(plan, epochs=1, learning_rate=plan.learning_rate * RATE_SHARE)


def share_of_time(valid_share: float) -> float:
    """Return what a fit may take of the time, so that the rest suffices to go on from it.

    `valid_share`: the rows to be examined on, as a share of those to learn from.
    """
    return (1 - HELD_BACK) / (1 + MARGIN * valid_share * ROWS_A_NEW_ONE / FEW_EPOCHS)


def spared_seconds(whole: float, an_epoch: float, valid_share: float) -> float:
    """Return what of a fit that took `whole` seconds need not be done again; `an_epoch` is once through its rows."""
    again = OPENING + an_epoch * valid_share * ROWS_A_NEW_ONE * MARGIN
    return max(0.0, whole - again)


def _file(scratch: Path, name: str) -> Checkpoints:
    return Checkpoints(scratch / name / "learnt.pt")


def _rows_of(assignment: Assignment) -> list[bytes]:
    """Return a digest of each row that is learnt from: its texts and its target."""
    parts = [keys_of(cast("Sequences", part)) for part in assignment.texts[0].parts]
    targets = [np.asarray(value).tobytes() for value in assignment.train.y]
    return [
        hashlib.blake2b(b"".join((*texts, target)), digest_size=16).digest()
        for *texts, target in zip(*parts, targets, strict=True)
    ]
