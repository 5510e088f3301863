"""The manifest of a package: what it eats, what it answers, and how that was proven.

Everything here is plain data with a JSON form. A *feed* says how the cells of some columns become one
input of the ONNX graph; the same encoders run in training and in production.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

FORMAT_VERSION = 1

Label = str | int | float | bool


@dataclass(frozen=True)
class NumberFeed:
    """Numbers of several columns: float32 `[rows, columns]`, NaN where missing."""

    name: str
    columns: tuple[str, ...]
    kind: Literal["number"] = "number"


@dataclass(frozen=True)
class CategoryFeed:
    """Category values of several columns: strings `[rows, columns]`, "" where missing."""

    name: str
    columns: tuple[str, ...]
    kind: Literal["category"] = "category"


@dataclass(frozen=True)
class DateFeed:
    """Points in time: float64 `[rows, columns]`, seconds since 1970-01-01 UTC, NaN where missing."""

    name: str
    columns: tuple[str, ...]
    kind: Literal["date"] = "date"


@dataclass(frozen=True)
class CharacterFeed:
    """Unicode code points of one text column: int32 `[rows, longest]`, 0 after the end.

    `normalise` is applied to the text first: NFKC, lower case, white space folded to one blank, stripped.
    Texts are cut to `max_length` code points.
    """

    name: str
    columns: tuple[str]
    max_length: int = 2000
    normalise: bool = True
    kind: Literal["characters"] = "characters"


@dataclass(frozen=True)
class TokenFeed:
    """Token ids of one text column: graph inputs `<name>.ids` and `<name>.mask`, int64 `[rows, longest]`.

    `tokenizer` is a file of the package in the format of the `tokenizers` library; texts are cut to
    `max_length` tokens and padded with `pad_id` (mask 0). `prefix` is put before every text.
    """

    name: str
    columns: tuple[str]
    tokenizer: str = "tokenizer.json"
    max_length: int = 256
    pad_id: int = 0
    prefix: str = ""
    kind: Literal["tokens"] = "tokens"


@dataclass(frozen=True)
class RowFeed:
    """Cells of several columns written as one text, as token ids: graph inputs as those of a `TokenFeed`.

    Each cell is written as its column's name, `colon` and the value, cells are joined by `comma`, missing ones are left
    out. `kinds` says how each column is read: numbers are rounded to `digits` digits that count, dates have minutes.
    The other fields are those of a `TokenFeed`.
    """

    name: str
    columns: tuple[str, ...]
    kinds: tuple[Literal["number", "category", "date", "text"], ...]
    digits: int = 3
    colon: str = ": "
    comma: str = "; "
    tokenizer: str = "tokenizer.json"
    max_length: int = 256
    pad_id: int = 0
    prefix: str = ""
    kind: Literal["row"] = "row"


@dataclass(frozen=True)
class ImageFeed:
    """Pixels of one image column: uint8 `[rows, height, width, channels]` (1 channel for mode L, 3 for RGB).

    Images are decoded with Pillow (EXIF rotation applied), converted to `mode` and resized bilinearly.
    """

    name: str
    columns: tuple[str]
    width: int
    height: int
    mode: Literal["L", "RGB"]
    kind: Literal["image"] = "image"


Feed = NumberFeed | CategoryFeed | DateFeed | CharacterFeed | TokenFeed | RowFeed | ImageFeed


@dataclass(frozen=True)
class Target:
    """One of several targets, answered by the output of the graph that `output_name` names.

    `metric`: what it counts by in the mean over all targets.
    """

    name: str
    task: Literal["classify", "regress"]
    labels: tuple[Label, ...] = ()
    metric: str = ""


def output_name(task: str, target: str = "") -> str:
    """Return the name of the output that answers a task; that of one of several targets says which one."""
    kind = "values" if task == "regress" else "probabilities"
    return f"{kind}:{target}" if target else kind


def name_for(column: str, target: str) -> str:
    """Return what a column of answers is called for one of several targets: `p_late` becomes `p_reason_late`."""
    kind, mark, label = column.partition("_")
    return f"{kind}_{target}{mark}{label}"


def names_of_answers(target: str, labels: tuple[Label, ...]) -> list[str]:
    """Return the columns of answers for one of several targets."""
    own = ["prediction", *(["confidence"] if labels else []), *(f"p_{label}" for label in labels)]
    return [name_for(name, target) for name in own]


@dataclass(frozen=True)
class InputColumn:
    """One column a user hands in: its name, modality, and a real example value for forms and docs."""

    name: str
    modality: Literal["text", "number", "category", "date", "image", "audio"]
    example: str | float | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turn:
    """What stands before and after the words of one who speaks."""

    before: str
    after: str


@dataclass(frozen=True)
class Chat:
    """How a conversation becomes one text; special tokens stand in it as they are written.

    `roles`: system (where there may be one), user and assistant. `start` begins a conversation without a system
    message; one with it begins with that. `answer` asks for the assistant's next words. `trims`: blanks around the
    words of a message are dropped.
    """

    start: str
    roles: Mapping[str, Turn]
    answer: str
    trims: bool = False


@dataclass(frozen=True)
class Generation:
    """How a package writes text.

    `window`: the most tokens of prompt and answer together. `end_ids`: tokens that end an answer. `begin_id`: the token
    before every text, None without one. `chat`: how conversations are written, None where it only continues texts.
    `precision`: of the weights, "float32", "int8", "int4", or "mixed" of both. `lines`: where it writes verse, how many
    characters a line may have; all lines of a text have as many.
    """

    window: int
    end_ids: tuple[int, ...]
    begin_id: int | None = None
    chat: Chat | None = None
    precision: str = "float32"
    tokenizer: str = "tokenizer.json"
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class History:
    """What a package knows of the past of each key, and what it tells of it in columns (`headway.runtime.history`).

    `time`: the column that says when a row happens; `keys`: columns that name who or what it is about; `values`: number
    columns whose means are told; `windows`: seconds. `delay`: seconds after which the target of a row is known; None
    where targets are not looked at. `event`: the label whose share is told; None where the target is a number.
    `scales`: for each value, and then the target, the power of two that makes it a whole number to be summed.
    `events` rows of the past are kept, with `distinct` different keys in each column; the newest at `until`, and all
    that count for a row from `since` on; both in seconds since 1970.
    """

    time: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    windows: tuple[float, ...]
    delay: float | None
    event: Label | None
    scales: tuple[int, ...]
    since: float | None = None
    until: float | None = None
    events: int = 0
    distinct: tuple[int, ...] = ()


@dataclass(frozen=True)
class ImageGeneration:
    """How a package draws pictures: of `width` x `height` pixels, grey (L) or in colour, from `noise` numbers each.

    Where the manifest has labels, a picture is drawn of one of them, drawn itself with the probabilities `shares` (in
    the order of the labels) where none is asked for.
    """

    width: int
    height: int
    mode: Literal["L", "RGB"]
    noise: int
    shares: tuple[float, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """All that a package says about itself; `files` maps each other file to its sha256.

    A package with several `targets` has the task several; `target` then names all of them for people.
    """

    name: str
    task: Literal["classify", "regress", "generate", "several"]
    target: str
    inputs: tuple[InputColumn, ...]
    feeds: tuple[Feed, ...]
    labels: tuple[Label, ...] = ()
    # Only where the task is several; such a package has no labels, threshold and costs of its own.
    targets: tuple[Target, ...] = ()
    # Probability from which a label is chosen, for binary tasks: (label, threshold). None: the most probable.
    threshold: tuple[Label, float] | None = None
    # cost[i][j]: what it costs to answer label j when label i is true. None: all mistakes cost the same.
    costs: tuple[tuple[float, ...], ...] | None = None
    # Only where the task is generate, one of the two; such a package has no inputs and feeds, and labels only where it
    # draws pictures by class.
    generation: Generation | None = None
    # Only where feeds read columns that tell of the past; then these are not among the inputs.
    history: History | None = None
    image_generation: ImageGeneration | None = None
    winner: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    base: Mapping[str, str] | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    seed: int = 0
    format_version: int = FORMAT_VERSION

    @property
    def parts(self) -> tuple[Manifest, ...]:
        """Return a manifest for each target, as if it were the only one."""
        if not self.targets:
            return (self,)
        return tuple(
            replace(self, task=each.task, target=each.name, labels=each.labels, targets=()) for each in self.targets
        )

    @property
    def outputs(self) -> tuple[str, ...]:
        """Return the names of the graph's outputs, in the order of the targets."""
        if not self.targets:
            return (output_name(self.task),)
        return tuple(output_name(each.task, each.name) for each in self.targets)
