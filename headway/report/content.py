"""Everything a report tells, as plain data; the pipeline fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from headway.compression.verdict import Verdict
from headway.data.dataset import Column, Finding
from headway.evaluation.calibration import Temperature
from headway.evaluation.decisions import Threshold
from headway.evaluation.pictures.judged import Drawing
from headway.evaluation.scores import Scores
from headway.evaluation.writing.judged import Writing
from headway.project.schema import Limits
from headway.runtime.manifest import Label
from headway.training.outcome import Outcome


@dataclass(frozen=True)
class RowCounts:
    """Where the rows went. `used` is `train` and `test` together."""

    read: int
    rejected: int = 0
    duplicates: int = 0
    set_aside: int = 0
    used: int = 0
    train: int = 0
    test: int = 0


@dataclass(frozen=True)
class ColumnFacts:
    """One column of the data. `missing` is a share from 0 to 1; `note` one short phrase, e.g. a range or top values."""

    name: str
    modality: str
    missing: float = 0.0
    distinct: int | None = None
    note: str = ""
    role: Literal["input", "target", "ignored"] = "input"


@dataclass(frozen=True)
class Change:
    """Rows that reading or cleaning rejected, dropped, grouped or re-weighted for one reason, with some of them."""

    step: str
    reason: str
    rows: int
    examples: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True)
class LabelError:
    """A row whose label looks wrong: number in the source, cells, its label, the likely one, how sure (0 to 1)."""

    row: int
    cells: Mapping[str, object]
    given: Label
    suggested: Label
    confidence: float


@dataclass(frozen=True)
class PackageFacts:
    """The package that ships and what was measured on it; `example` is one real row of inputs, `answer` its answer.

    `targets`: the names of several. Where it `writes` text, the example is a prompt, latencies are of a token and the
    rate counts tokens. Where it `draws` pictures, the example holds a label, and both are of pictures.
    """

    path: str
    size_mb: float
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    memory_mb: float | None = None
    rows_per_second: float | None = None
    example: Mapping[str, object] = field(default_factory=dict)
    answer: Mapping[str, object] = field(default_factory=dict)
    writes: bool = False
    targets: tuple[str, ...] = ()
    draws: bool = False


@dataclass(frozen=True)
class OnlyRight:
    """A row that only the large model answered right (or, for numbers, answered much closer), and both answers."""

    cells: Mapping[str, object]
    actual: Label
    without: Label
    with_base: Label


@dataclass(frozen=True)
class Bought:
    """What a pretrained model bought on the validation rows: the best candidate on a base beside the best without one.

    `values` are the metric without and with it, `interval` the 95% interval of their difference, `better` the name of
    the one that is ahead by more than chance. `only` counts the `rows` that only the one without, and only the one with
    it, answered right. `standings`: all that answered those rows, best first, with whether it stands on a base.
    `mixed_without`: the metric of those without one mixed with each other, where that is ahead of the best of them.
    """

    without: str
    with_base: str
    metric: str
    values: tuple[float, float]
    interval: tuple[float, float]
    better: str | None
    rows: int
    only: tuple[int, int]
    examples: tuple[OnlyRight, ...] = ()
    standings: tuple[tuple[str, bool], ...] = ()
    mixed_without: float | None = None


@dataclass(frozen=True)
class Compression:
    """What was tried to make the package smaller, the original first; `package` is where the chosen one is, if any.

    `drop`: the most that it was allowed to lose (0.005 is half a point).
    """

    verdicts: tuple[Verdict, ...]
    drop: float
    package: str | None = None


@dataclass(frozen=True)
class ReportContent:
    """A whole run for a reader.

    `scores` are the winner's on the test part; `metric` is what candidates competed by on the validation part: one
    holdout, or `folds` of a cross-validation. `balance`: label (as a string) -> used rows. `values`: the target's
    values for regression (a sample will do); `pairs`: (actual, predicted) on the test part.
    `parts`: of several targets each as if it were the only one; what all of them share is told by the whole.
    `writing`: of a model that writes, its texts beside the yardstick's; `drawing`: of one that draws, its pictures.
    `folder` is where image
    paths in cells start. `base`: name, licence and digest of the pretrained model that the winner was made from;
    `bought`: what pretrained models were worth, where some took part.
    `seconds` is the whole run, `budget_seconds` what it was allowed.
    """

    name: str
    task: Literal["classify", "regress", "generate", "several"]
    target: str
    labels: tuple[Label, ...]
    inputs: tuple[Column, ...]
    rows: RowCounts
    scores: Scores
    winner: str
    metric: str
    outcomes: tuple[Outcome, ...]
    columns: tuple[ColumnFacts, ...] = ()
    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    label_errors: tuple[LabelError, ...] = ()
    balance: Mapping[str, int] = field(default_factory=dict)
    values: tuple[float, ...] = ()
    pairs: tuple[tuple[float, float], ...] = ()
    writing: Writing | None = None
    drawing: Drawing | None = None
    members: Mapping[str, float] = field(default_factory=dict)
    base: Mapping[str, str] = field(default_factory=dict)
    bought: Bought | None = None
    folds: int = 1
    threshold: Threshold | None = None
    costs: tuple[tuple[float, ...], ...] | None = None
    calibration: Temperature | None = None
    limits: Limits | None = None
    package: PackageFacts | None = None
    compression: Compression | None = None
    remarks: tuple[str, ...] = ()
    folder: str = ""
    source: str = ""
    created: str = ""
    seconds: float = 0.0
    budget_seconds: float | None = None
    seed: int = 0
    machine: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[ReportContent, ...] = ()
    is_part: bool = False

    @property
    def each(self) -> tuple[ReportContent, ...]:
        """Return what is told target by target: the parts, or the whole where there is one target."""
        return self.parts or (self,)
