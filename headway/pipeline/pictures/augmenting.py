"""`augment: gan`: drawn pictures beside the real ones of a small training set, kept only where they help."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.compute.drafts import whole_folder
from headway.data.dataset import Fold
from headway.errors import HeadwayError, Problem, ProjectError
from headway.evaluation.metrics import quick_metric
from headway.evaluation.pictures.judge import Judge, train_judge
from headway.modalities.image.decoding import decoded
from headway.models.family import Examples
from headway.pipeline.attempt import Attempt
from headway.pipeline.events import Remark
from headway.pipeline.pictures.painting import frame_of, recipe_of, train_generator
from headway.pipeline.preparing import Prepared
from headway.runtime.image_generation import as_image
from headway.tasks import Classify
from headway.training.contest import Contest
from headway.training.ensemble import gains_more_than_noise

AUGMENTED = "augmented"
# The share of the budget for all of it, and how that is divided: a classifier without, the generator, one with.
SHARE = 0.3
WITHOUT, DRAWING, WITH = 0.25, 0.45, 0.3
# Drawn pictures at most; more would take the time of the tournament.
MOST = 20_000
_FACTS, _PICTURES = "augmented.json", "pictures"


@dataclass(frozen=True)
class Augmented:
    """What came of the attempt: scores on the validation rows without and with `count` drawn pictures.

    `labels`: the class index of each that was kept, in the order of their files; none where they did not help.
    `reason`: why nothing was drawn, empty where something was.
    """

    metric: str
    without: float
    with_pictures: float
    count: int
    rows: int
    labels: tuple[int, ...] = ()
    reason: str = ""

    @property
    def is_kept(self) -> bool:
        """Tell whether the pictures take part in training."""
        return bool(self.labels)

    def __str__(self) -> str:
        """Return the outcome in one sentence."""
        if self.reason:
            return f"augment: gan was left out: {self.reason}"
        scores = f"{self.metric} {self.with_pictures:.4f} with them, {self.without:.4f} without"
        if self.is_kept:
            return f"augment: gan added {self.count:,} drawn pictures to the training rows: {scores}"
        return f"augment: gan drew {self.count:,} pictures and left them out: {scores}, no gain beyond noise"


def check_augment(attempt: Attempt, prepared: Prepared) -> None:
    """Raise `ProjectError` where there is nothing that drawn pictures could help."""
    dataset = prepared.dataset
    if attempt.project.augment is None:
        return
    modalities = [column.modality for column in dataset.inputs]
    if dataset.task != "classify" or modalities != ["image"]:
        got = f"the task {dataset.task}, inputs of the kind {', '.join(modalities)}"
        expected = "labels to be told from one column of pictures"
        problem = Problem("augment: gan has nothing to draw here", "augment", expected, got, "remove augment:")
        raise ProjectError((problem,))


def augment(attempt: Attempt, contest: Contest) -> Contest:
    """Return the contest with drawn pictures among the training rows where they gain, else as it is.

    Tried once, on the first fold: where they are kept, that fold is the holdout of the tournament, for the generator
    has seen the rows of the others.
    """
    folder = attempt.folder.path / AUGMENTED
    found = load_augmented(folder)
    if found is None:
        found = try_drawing(attempt, contest, folder)
        attempt.note_seconds()
    attempt.listen(Remark(str(found)))
    return with_drawn(contest, found, folder) if found.is_kept else contest


def try_drawing(attempt: Attempt, contest: Contest, folder: Path) -> Augmented:
    """Draw pictures of every class, train with and without them, and keep them where the gain is beyond noise."""
    assert isinstance(contest.task, Classify)
    seconds = min(SHARE * attempt.project.budget.time, attempt.seconds_left / 2)
    fold = contest.folds[0]
    learnt, valid = contest.examples.take(fold.train), contest.examples.take(fold.valid)
    labels, seed = contest.task.labels, contest.seed
    nothing = Augmented(contest.metric, float("nan"), float("nan"), 0, len(valid))
    try:
        frame = frame_of(learnt)
        judge = train_judge(learnt, valid, frame, classes=len(labels), seed=seed, clock=Clock.after(WITHOUT * seconds))
        painting = train_generator(learnt, valid, judge, labels, recipe=recipe_of(attempt.project), seed=seed,
                                   clock=Clock.after(DRAWING * seconds))  # fmt: skip
        wanted = labels_to_draw(learnt.y, len(labels))
        drawn = painting.generator().generate(len(wanted), labels=[labels[place] for place in wanted], seed=seed)
        drawn, wanted = only_right(judge, drawn, wanted)
        with whole_folder(folder) as draft:
            write_pictures(draft / _PICTURES, drawn)
        both = with_rows(learnt, rows_of(learnt, folder, len(wanted)), wanted)
        other = train_judge(both, valid, frame, classes=len(labels), seed=seed, clock=Clock.after(WITH * seconds))
    except HeadwayError as error:
        return keep(replace(nothing, reason=error.problems[0].what), folder)
    column = learnt.columns("image")[0]
    pixels = decoded.read(frame.feed(column), valid.rows[column].to_list())
    before, after = judge.look(pixels).probabilities, other.look(pixels).probabilities
    gains = gains_more_than_noise(after, before, valid.y, contest.task, metric=contest.metric, seed=seed)
    scores = [quick_metric(contest.metric, valid.y, answers, contest.task) for answers in (before, after)]
    kept = tuple(map(int, wanted)) if gains else ()
    return keep(Augmented(contest.metric, scores[0], scores[1], len(wanted), len(valid), kept), folder)


def labels_to_draw(y: np.ndarray, classes: int) -> np.ndarray:
    """Return the class of each picture to be drawn: as many as a class has rows, and at least as many as is usual."""
    counts = np.bincount(y, minlength=classes)
    wanted = np.maximum(counts, int(np.median(counts)))
    wanted = np.maximum(1, (wanted * min(1.0, MOST / wanted.sum())).astype(np.int64))
    return np.repeat(np.arange(classes), wanted)


def only_right(judge: Judge, pictures: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures that the judge takes for what they should be; the others would teach wrong labels."""
    right = judge.look(pictures).probabilities.argmax(axis=1) == wanted
    return pictures[right], wanted[right]


def with_drawn(contest: Contest, found: Augmented, folder: Path) -> Contest:
    """Return the contest with the kept pictures in the training part of its one fold, and among the rows of a refit."""
    examples, fold = contest.examples, contest.folds[0]
    labels = np.asarray(found.labels, np.int64)
    new = len(examples) + np.arange(len(labels))
    return replace(
        contest,
        examples=with_rows(examples, rows_of(examples, folder, len(labels)), labels),
        train=np.concatenate([contest.train, new]),
        folds=(Fold(np.concatenate([fold.train, new]), fold.valid),),
    )


def with_rows(examples: Examples, rows: pl.DataFrame, y: np.ndarray) -> Examples:
    """Return the examples followed by further ones of the usual weight."""
    weight = None if examples.weight is None else np.concatenate([examples.weight, np.ones(len(y), np.float32)])
    return replace(examples, rows=pl.concat([examples.rows, rows]), y=np.concatenate([examples.y, y]), weight=weight)


def rows_of(examples: Examples, folder: Path, count: int) -> pl.DataFrame:
    """Return the drawn pictures as rows like those of the examples: paths, or the bytes of the files."""
    (column,) = examples.rows.columns
    paths = [folder / _PICTURES / f"{number:06d}.png" for number in range(count)]
    kind = examples.rows.schema[column]
    cells: Sequence[object] = [path.read_bytes() for path in paths] if kind == pl.Binary else [str(p) for p in paths]
    return pl.DataFrame({column: pl.Series(column, cells, dtype=kind)})


def write_pictures(folder: Path, pictures: np.ndarray) -> None:
    """Write pictures as numbered PNG files."""
    folder.mkdir()
    for number, picture in enumerate(pictures):
        as_image(picture).save(folder / f"{number:06d}.png")


def keep(found: Augmented, folder: Path) -> Augmented:
    """Write what came of it beside the pictures, so that a killed run does not try again."""
    from headway.pipeline.folder import write_json

    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / _FACTS, asdict(found))
    return found


def load_augmented(folder: Path) -> Augmented | None:
    """Return what an earlier attempt has found, or None; one that was killed before its end is tried again."""
    file = folder / _FACTS
    if not file.exists():
        return None
    plain = json.loads(file.read_text(encoding="utf-8"))
    figures = {name: float("nan") if plain[name] is None else plain[name] for name in ("without", "with_pictures")}
    return Augmented(**{**plain, **figures, "labels": tuple(plain["labels"])})
