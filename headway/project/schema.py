"""The project file as a frozen model: the one source of checks, defaults and the JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from headway.project import units

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
    "bits_per_character",
    "perplexity",
]

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Between = Annotated[float, Field(gt=0, lt=1)]
UpToAll = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Text = Annotated[str, Field(min_length=1)]

# Numbers with a unit: the file may say `5m`, the project holds 300.0.
_Duration = Positive | Annotated[str, Field(pattern=units.DURATION_PATTERN)]
_Size = Positive | Annotated[str, Field(pattern=units.SIZE_PATTERN)]
_Percent = Annotated[str, Field(pattern=units.SHARE_PATTERN)]
Seconds = Annotated[Positive, BeforeValidator(units.read_seconds, json_schema_input_type=_Duration)]
Pause = Annotated[NotNegative, BeforeValidator(units.read_seconds, json_schema_input_type=NotNegative | _Duration)]
Milliseconds = Annotated[Positive, BeforeValidator(units.read_milliseconds, json_schema_input_type=_Duration)]
Megabytes = Annotated[Positive, BeforeValidator(units.read_megabytes, json_schema_input_type=_Size)]
Memory = Annotated[Positive, BeforeValidator(units.read_memory, json_schema_input_type=_Size)]
# A point in time: the file may say `2018-07-25`, the project holds seconds since 1970 (UTC).
Moment = Annotated[float, BeforeValidator(units.read_moment, json_schema_input_type=str)]
# A share of the rows; a `Portion` may also be nothing or all of them.
Share = Annotated[Between, BeforeValidator(units.read_share, json_schema_input_type=Between | _Percent)]
Portion = Annotated[UpToAll, BeforeValidator(units.read_share, json_schema_input_type=UpToAll | _Percent)]


class Part(BaseModel):
    """A part of the project file: unknown keys are errors and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_blanks(cls, raw: Any) -> Any:
        """Read a key with nothing after it as a key left out, and JSON's lists as tuples."""
        if raw is None:
            return {}
        if not isinstance(raw, Mapping):
            return raw
        return {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in raw.items()
            if value is not None or key not in cls.model_fields
        }


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

    time: Seconds = 300.0
    memory: Memory = 4096.0


class Limits(Part):
    """What the shipped package may need, measured on this machine: milliseconds and megabytes."""

    latency_p50: Milliseconds | None = None
    latency_p95: Milliseconds | None = None
    size: Megabytes | None = None
    memory: Megabytes | None = None


class Cleaning(Part):
    """The cleaning steps; each changed row is kept with its reason."""

    duplicates: Literal["drop", "group", "off"] = "drop"
    near_duplicates: Literal["group", "drop", "off"] = "group"
    contradictions: Literal["set_aside", "keep"] = "set_aside"
    label_errors: Literal["report", "drop", "weight", "off"] = "report"
    max_rejected: Portion = 0.10


class Splitting(Part):
    """How rows are divided; shares are between 0 and 1.

    Without `test` it is 20% of the rows, 10% of text to learn to write from. Without `valid` the share follows from the
    number of rows. By `time` the latest rows are the test part; `gap`: what lies so shortly before them is not learnt
    from (`history.delay` where there is one). `train_from`, `train_until` and `test_from` name the points in time
    themselves; rows outside of both are not learnt from, and only serve as history.
    """

    test: Share | None = None
    valid: Share | None = None
    folds: Annotated[int, Field(ge=2, le=50)] | None = None
    group: str | None = None
    time: str | None = None
    gap: Pause | None = None
    train_from: Moment | None = None
    train_until: Moment | None = None
    test_from: Moment | None = None

    @property
    def is_dated(self) -> bool:
        """Tell whether points in time are named."""
        return any(moment is not None for moment in (self.train_from, self.train_until, self.test_from))


class History(Part):
    """Columns that tell of what happened before each row; see `headway.runtime.history`.

    `time`: the column of when a row happens; `keys`: columns of who or what it is about, such as a customer; `values`:
    numbers whose means are told. `windows`: how far back. `delay`: after how long the target of a row is known; without
    it the targets of earlier rows are not looked at. `event`: the label whose share is told, the rarer of two without
    it. `block`: one of the keys; test rows are left out once an event of their key is known, as a card is blocked.
    """

    time: Text
    keys: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20)]
    values: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    windows: Annotated[tuple[Seconds, ...], Field(min_length=1, max_length=20)] = (86_400.0, 604_800.0, 2_592_000.0)
    delay: Seconds | None = None
    event: str | int | bool | None = None
    block: Text | None = None


class Training(Part):
    """Training settings under their standard names; see `headway.tasks.recipe.Recipe`."""

    loss: Literal["cross_entropy", "binary_cross_entropy", "focal", "mse", "mae", "huber", "dpo"] | None = None
    optimizer: Literal["sgd", "adam", "adamw"] | None = None
    learning_rate: Positive | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    weight_decay: NotNegative | None = None
    l1: NotNegative | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    epochs: Count | None = None
    batch_size: Count | None = None
    schedule: Literal["constant", "cosine", "linear"] | None = None
    warmup: Portion | None = None
    early_stopping: Annotated[int, Field(ge=0)] | None = None
    class_weights: Literal["balanced"] | dict[str, NotNegative] | None = None
    focal_gamma: NotNegative | None = None
    huber_delta: Positive | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] | None = None
    clip: Positive | None = None
    augment: bool | None = None
    lora_rank: Annotated[int, Field(ge=1, le=1024)] | None = None
    dpo_beta: Positive | None = None
    r_drop: NotNegative | None = None
    mixout: Annotated[float, Field(ge=0, lt=1)] | None = None


class Decision(Part):
    """How probabilities become an answer: a cost of each mistake, or a wanted precision of one label."""

    costs: dict[str, dict[str, float]] | None = None
    precision: Share | None = None
    label: str | int | bool | None = None


class Compressing(Part):
    """How the package is made smaller: the most that may be lost, the seconds for it, and the methods tried.

    `drop` is in points of the metric (0.5% is half a point), or a share of its value where it has no upper bound.
    Without `time` it takes a fifth of the budget.
    """

    drop: Portion = 0.005
    time: Seconds | None = None
    methods: tuple[Literal["quantise", "prune", "distil"], ...] = ("quantise", "prune", "distil")


def _list_models(raw: Any) -> Any:
    """Read `[a, {b: {dropout: 0.3}}]`, `a` or a mapping as a mapping from family to its settings."""
    if raw == "auto" or not isinstance(raw, str | list | tuple | Mapping):
        return raw
    if isinstance(raw, Mapping):
        return {name: {} if settings is None else settings for name, settings in raw.items()}
    models: dict[str, Any] = {}
    for item in [raw] if isinstance(raw, str) else raw:
        entries = {item: {}} if isinstance(item, str) else item
        if not isinstance(entries, Mapping):
            raise ValueError("auto, a list of candidate families, or a mapping from family to settings")  # noqa: TRY004
        models |= {name: {} if settings is None else settings for name, settings in entries.items()}
    if not models:
        raise ValueError("auto, or at least one candidate family")
    return models


Models = Annotated[
    Literal["auto"] | dict[str, Training],
    BeforeValidator(
        _list_models,
        json_schema_input_type=Literal["auto"] | list[str | dict[str, Training | None]] | dict[str, Training | None],
    ),
]


def _list_targets(raw: Any) -> Any:
    """Read `[topic, price]`, or a mapping from column to task, as a mapping; None leaves a task to be found out."""
    if isinstance(raw, Mapping):
        targets = dict(raw)
    elif isinstance(raw, list | tuple) and all(isinstance(name, str) for name in raw):
        targets = dict.fromkeys(raw)
        if len(targets) < len(raw):
            raise ValueError("each column once")
    else:
        raise ValueError("a list of columns: [topic, price], or each with its task: {topic: classify, price: regress}")
    if len(targets) < 2:
        raise ValueError("two columns or more; a single one is named by target:")
    return targets


Targets = Annotated[
    dict[Text, Literal["classify", "regress"] | None],
    BeforeValidator(
        _list_targets,
        json_schema_input_type=Annotated[list[Text], Field(min_length=2)]
        | Annotated[dict[Text, Literal["classify", "regress"] | None], Field(min_length=2)],
    ),
]


class Project(Part):
    """A whole project; only `data` and `target` (or `targets`) are needed, and to generate text only `data`.

    `folder` is the folder of the project file; relative paths start there. `models` is "auto" or a mapping
    from the name of a family to the training settings for it alone (they win over `training`). `unlabelled` names more
    rows of the same inputs without a target; `base` a pretrained model, "auto" or "none"; `descriptions` says what
    a label means. `history` tells of what happened before each row. `compress`: "auto" makes large packages smaller
    where that is quickly done and costs half a point at the most, "off" leaves them as they are. `targets` names
    several columns to be predicted by one model, each with its task or None where that is to be found out. `augment`:
    "gan" draws further pictures to train on, kept where they help.
    """

    name: Text
    folder: Annotated[Path, Field(exclude=True)]
    data: Text
    target: Text | None = None
    targets: Targets | None = None
    test: str | None = None
    unlabelled: str | None = None
    inputs: dict[str, Modality] | None = None
    ignore: tuple[str, ...] = ()
    task: Literal["classify", "regress", "generate"] | None = None
    budget: Budget = Budget()
    limits: Limits = Limits()
    models: Models = "auto"
    base: Text = "auto"
    metric: Metric | None = None
    reading: Reading = Reading()
    cleaning: Cleaning = Cleaning()
    split: Splitting = Splitting()
    history: History | None = None
    training: Training = Training()
    decision: Decision = Decision()
    compress: Literal["auto", "off"] | Compressing = "auto"
    augment: Literal["gan"] | None = None
    descriptions: dict[str, Text] = {}
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
