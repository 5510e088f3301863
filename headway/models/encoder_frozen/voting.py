"""Votes of the nearest rows beside the line: each errs where the other need not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.compute.clock import Clock
from headway.models.encoder_frozen.choosing import Choice, Exam, examined
from headway.models.encoder_frozen.heads import Head, Vectors
from headway.models.encoder_frozen.material import Material, with_words
from headway.models.encoder_frozen.neighbours import Neighbours, condensed, neighbours
from headway.models.family import Settings
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# What is tried: how much votes count beside the line, and how sharply nearness counts.
WEIGHTS = (0.125, 0.25, 0.5, 1.0)
# Few rows are seen from their middle, and lie further apart.
SHARPNESS, SHARPNESS_FEW = (20.0, 50.0, 100.0), (10.0, 20.0, 30.0)
# How much less sure the sum is made, since two that agree are surer than either is right.
SCALES = (1.0, 0.7, 0.5)
# They become part of the package, and have to lower the loss by this share; where rows are few, they are small.
BETTER, BETTER_FEW = 0.01, 0.005
# Of more rows, middles vote: on banking77 whole 19 a label gain nearly what all 130 do, in a tenth of the size.
VOTERS = 1_536
# The words of a label vote as one row of it.
_WORDS = 1.0


@dataclass(frozen=True)
class Vote:
    """How much votes count beside the line, how sharply nearness counts, and what the sum is multiplied by.

    `loss`: on rows not learnt from, NaN where it was not judged.
    """

    weight: float
    sharpness: float
    scale: float = 1.0
    loss: float = field(default=float("nan"), compare=False)

    @classmethod
    def given(cls, settings: Settings) -> Vote | None:
        """Return what settings name, None where they name no votes."""
        if not settings.get("votes"):
            return None
        named = ("votes", "sharpness", "votes_scale")
        return cls(*(float(cast("float", settings[name])) for name in named))

    @property
    def told(self) -> dict[str, float]:
        """Return it as settings."""
        return {"votes": self.weight, "sharpness": self.sharpness, "votes_scale": self.scale}


@dataclass(frozen=True)
class Voting:
    """The sum of what a line and the votes of rows put out."""

    line: Head
    votes: Neighbours

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return float64 `[n, outputs]`."""
        return np.asarray(self.line.outputs(x) + self.votes.outputs(x))

    def scaled(self, scale: float) -> Voting:
        """Return it surer or less sure."""
        return Voting(self.line.scaled(scale), self.votes.scaled(scale))

    def nodes(self, x: Var) -> Var:
        """Return the outputs of `x` as nodes."""
        return op.add(self.line.nodes(x), self.votes.nodes(x))


def choose_vote(
    exams: Sequence[Exam], straight: Choice, *, task: Task, recipe: Recipe, few: bool, clock: Clock
) -> Vote | None:
    """Return the votes that lower the straight heads' loss on rows not learnt from most, None where none do clearly.

    By the loss, not by errors: `few` rows hardly tell one error more from one less (measured on banking77 and tnews).
    """
    if task.kind != "classify" or clock.expired:
        return None

    def loss_of(outputs: Sequence[np.ndarray]) -> float:
        return examined(exams, outputs, task=task, recipe=recipe, target=None)

    best: Vote | None = None
    lines = [
        head.scaled(straight.setting.scale).outputs(e.valid.x) for head, e in zip(straight.heads, exams, strict=True)
    ]
    ceiling = min(loss_of([line * scale for line in lines]) for scale in SCALES)
    ceiling *= 1 - (BETTER_FEW if few else BETTER)
    voters = [_voters(exam.train) for exam in exams]
    for sharpness in SHARPNESS_FEW if few else SHARPNESS:
        said = [neighbours(own, task, sharpness).outputs(e.valid.x) for own, e in zip(voters, exams, strict=True)]
        for weight in WEIGHTS:
            both = [line + weight * votes for line, votes in zip(lines, said, strict=True)]
            for scale in SCALES:
                loss = loss_of([outputs * scale for outputs in both])
                if loss < ceiling:
                    best, ceiling = Vote(weight, sharpness, scale, loss), loss
    return best


def with_votes(line: Head, material: Material, vote: Vote, task: Task) -> Voting:
    """Return a line with the votes of what it learnt from beside it."""
    votes = neighbours(_voters(material), task, vote.sharpness).scaled(vote.weight)
    return Voting(line, votes).scaled(vote.scale)


def _voters(material: Material) -> Vectors:
    """Return the rows, or what stands for them, and the words of the labels."""
    return with_words(condensed(material.rows, VOTERS), material.words, _WORDS)
