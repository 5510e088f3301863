"""What the evaluation of a model that writes hands on, beside its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from headway.evaluation.comparison import Comparison


@dataclass(frozen=True)
class Sample:
    """A prompt, what the winner and the yardstick wrote for it, and the answer a person gave, where there is one.

    `before`: what the base wrote that the winner was made from, None where it was made from none.
    """

    prompt: str
    written: str
    baseline: str
    reference: str = ""
    before: str | None = None


@dataclass(frozen=True)
class Before:
    """The base of a winner that was taught, as it came: its name, its figures on the same rows, and the paired test."""

    name: str
    metrics: Mapping[str, float]
    against: Comparison


@dataclass(frozen=True)
class Writing:
    """What a model that writes is judged by beside its likelihood.

    `units`: what a token is (characters or bpe). `lengths`: of the lines of verse, where the corpus is verse.
    `yardstick`: its name; `baseline`: its figures on the same test part and for the same prompts; `against`: the paired
    test of both. `rows`: of the test part, those that were judged; `written`: how many texts the other figures are of.
    `copy`: the longest passage that the winner's texts have copied. `nats`: of the yardstick, a test row. `before`: the
    base that a winner was made from, as it came. `proof`: what the few bits of the winner cost
    (`decoders.packaging.figures_of`), empty where it ships in float32; `precision`: in which it ships.
    """

    units: str
    lengths: tuple[int, ...]
    yardstick: str
    baseline: Mapping[str, float]
    against: Comparison
    rows: int
    written: int
    samples: tuple[Sample, ...]
    copy: str
    nats: np.ndarray = field(repr=False)
    before: Before | None = None
    precision: str = "float32"
    proof: Mapping[str, float] = field(default_factory=dict)
