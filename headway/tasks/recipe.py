"""How to train: the standard knobs under their standard names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

Loss = Literal["cross_entropy", "binary_cross_entropy", "focal", "mse", "mae", "huber", "dpo"]
Optimizer = Literal["sgd", "adam", "adamw"]
Schedule = Literal["constant", "cosine", "linear"]


@dataclass(frozen=True)
class Recipe:
    """Training settings a user may fix; None leaves the choice to the family.

    `momentum` is SGD's; `weight_decay` is the L2 penalty (decoupled for adamw), `l1` the L1 penalty;
    `warmup` is the share of all steps (0 to 1) spent raising the learning rate linearly from 0;
    `early_stopping` is the patience in epochs, 0 for none; `class_weights` is "balanced", or a weight per label
    (keys are the labels as strings); `focal_gamma` is gamma of Lin et al. 2017, eq. 4; `huber_delta` in units of the
    target's standard deviation; `clip` is the largest gradient norm. `lora_rank` is r of Hu et al. 2022, section 4.1;
    `dpo_beta` is beta of Rafailov et al. 2023, eq. 7, whose loss is "dpo". `r_drop` is alpha of Wu et al. 2021
    ("R-Drop", eq. 4), 0 for none: two draws of dropout should answer alike, at twice the cost of a step.
    `mixout` is p of Lee et al. 2020 ("Mixout", section 3): the share of the weights that stand where they began in a
    step.
    """

    loss: Loss | None = None
    optimizer: Optimizer | None = None
    learning_rate: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    l1: float | None = None
    dropout: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    schedule: Schedule | None = None
    warmup: float | None = None
    early_stopping: int | None = None
    class_weights: Literal["balanced"] | Mapping[str, float] | None = None
    focal_gamma: float | None = None
    huber_delta: float | None = None
    label_smoothing: float | None = None
    clip: float | None = None
    augment: bool | None = None
    lora_rank: int | None = None
    dpo_beta: float | None = None
    r_drop: float | None = None
    mixout: float | None = None

    def given(self) -> frozenset[str]:
        """Return the names of the fields a user has set."""
        return frozenset(field.name for field in fields(self) if getattr(self, field.name) is not None)
