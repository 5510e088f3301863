"""The project file as a frozen model: the one source of checks, defaults and the JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Modality = Literal["text", "number", "category", "date", "image"]
Metric = Literal[
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "f1_weighted",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "mae",
    "rmse",
    "r2",
]


class Part(BaseModel):
    """A part of the project file: unknown keys are errors and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Reading(Part):
    """How to read the data files, where the guess is not good enough."""

    separator: str | None = None
    encoding: str | None = None
    header: bool | None = None
    columns: tuple[str, ...] | None = None
    missing: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
    sheet: str | None = None
    query: str | None = None


class Budget(Part):
    """What a run may use: seconds and megabytes."""

    time: float = 300.0
    memory: float = 4096.0


class Limits(Part):
    """What the shipped package may need, measured on this machine: milliseconds and megabytes."""

    latency_p50: float | None = None
    latency_p95: float | None = None
    size: float | None = None
    memory: float | None = None


class Cleaning(Part):
    """The cleaning steps; each changed row is kept with its reason."""

    duplicates: Literal["drop", "group", "off"] = "drop"
    near_duplicates: Literal["group", "drop", "off"] = "group"
    contradictions: Literal["set_aside", "keep"] = "set_aside"
    label_errors: Literal["report", "drop", "weight", "off"] = "report"
    max_rejected: float = 0.10


class Splitting(Part):
    """How rows are divided; shares are between 0 and 1."""

    test: float = 0.2
    valid: float = 0.2
    folds: int | None = None
    group: str | None = None
    time: str | None = None


class Training(Part):
    """Training settings under their standard names; see `headway.tasks.recipe.Recipe`."""

    loss: Literal["cross_entropy", "binary_cross_entropy", "focal", "mse", "mae", "huber"] | None = None
    optimizer: Literal["sgd", "adam", "adamw"] | None = None
    learning_rate: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    l1: float | None = None
    dropout: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    schedule: Literal["constant", "cosine", "linear"] | None = None
    warmup: float | None = None
    early_stopping: int | None = None
    class_weights: Literal["balanced"] | dict[str, float] | None = None
    focal_gamma: float | None = None
    huber_delta: float | None = None
    label_smoothing: float | None = None
    clip: float | None = None
    augment: bool | None = None


class Decision(Part):
    """How probabilities become an answer: a cost of each mistake, or a wanted precision of one label."""

    costs: dict[str, dict[str, float]] | None = None
    precision: float | None = None
    label: str | int | bool | None = None


class Project(Part):
    """A whole project; only `data` and `target` are needed.

    `folder` is the folder of the project file; relative paths start there. `models` is "auto" or a mapping
    from the name of a family to the training settings for it alone (they win over `training`).
    """

    name: str
    folder: Annotated[Path, Field(exclude=True)]
    data: str
    target: str
    test: str | None = None
    inputs: dict[str, Modality] | None = None
    ignore: tuple[str, ...] = ()
    task: Literal["classify", "regress"] | None = None
    budget: Budget = Budget()
    limits: Limits = Limits()
    models: Literal["auto"] | dict[str, Training] = "auto"
    metric: Metric | None = None
    reading: Reading = Reading()
    cleaning: Cleaning = Cleaning()
    split: Splitting = Splitting()
    training: Training = Training()
    decision: Decision = Decision()
    seed: int = 0
