"""From a base and texts to a network that is ready to learn, and to what it learns from."""

from __future__ import annotations

import hashlib
import math
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import psutil

from headway.bases.base import Base
from headway.compute.clock import Clock
from headway.encoders.depth import agrees
from headway.encoders.opening import Encoder, open_encoder
from headway.encoders.proving import check_export
from headway.encoders.states import KeptStates, StateStore, keys_of
from headway.encoders.tuned import Method, Tuned
from headway.errors import TrainingError
from headway.models.encoder_finetune import choosing
from headway.models.encoder_finetune.choosing import Choice, Room, Work
from headway.models.encoder_finetune.heading import solve_head
from headway.models.encoder_finetune.reading import kept_columns, pooled_of
from headway.models.family import Examples, Settings
from headway.models.scratch import remembered
from headway.networks.batches import Columns, Lesson, Sequences
from headway.networks.device import seeded
from headway.networks.plan import Plan
from headway.networks.training import as_int
from headway.tasks import Task

# Of the memory that is free on the machine, the share that training may take.
FREE_SHARE = 0.8
CUT_CHECKED = 8
Texts = tuple[Columns, Columns | None]


@dataclass(frozen=True)
class Assignment:
    """All that decides how a fit ends, but for the clock: equal names would give the same network.

    `texts`: those to learn from, which are the rows of `train`, and those to be examined on or None. `most_epochs`: how
    many there may be where time is left over, 0 for no more than planned.
    """

    base: Base
    texts: Texts
    train: Examples
    task: Task
    plan: Plan
    settings: Settings | None
    seed: int
    most_epochs: int = 0

    @cached_property
    def way(self) -> str:
        """Return a digest of everything but the rows: the folds of a run have it in common."""
        told = None if self.settings is None else sorted(self.settings.items())
        said = repr((self.base.digest, self.task, self.plan, told, self.seed)).encode()
        return hashlib.blake2b(said, digest_size=12).hexdigest()

    @cached_property
    def name(self) -> str:
        """Return a digest of everything in it."""
        said = hashlib.blake2b(self.way.encode(), digest_size=12)
        for part in [part for columns in self.texts if columns is not None for part in columns.parts]:
            said.update(b"".join(keys_of(cast("Sequences", part))))
        for array in (self.train.y, self.train.weight):
            said.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
        return said.hexdigest()


@dataclass(frozen=True)
class Ready:
    """A network, what it learns from and is examined on, and what of it learns."""

    network: Tuned
    train: Columns
    valid: Columns | None
    choice: Choice


def opened(assignment: Assignment, *, clock: Clock, scratch: Path, normalise: bool = False) -> Ready:
    """Open the base, choose what of it learns, and run the layers that do not; the head is random.

    `scratch` is shared by all fits of a run. The first fold's choice holds for all of them, and for a fit that was
    killed: folds are compared as one candidate, and another depth would have to read all texts again. With
    `normalise`, pooled outputs have length 1.
    """
    base, texts = assignment.base, assignment.texts
    encoder = open_encoder(base, normalise=normalise)
    check_export(encoder, base)
    kept = scratch / f"choice-{assignment.way}.json"
    choice = remembered(kept, Choice, lambda: _choice(encoder, assignment, clock, scratch))
    with seeded(assignment.seed):
        network = Tuned(
            encoder,
            depth=choice.depth,
            method=choice.method,
            columns=len(texts[0].parts),
            width=assignment.task.width,
            dropout=assignment.plan.dropout,
            recompute=choice.recompute,
        )
    lessons = _lessons(texts, network, choice, scratch / f"{base.digest[:16]}-{choice.depth}", clock)
    return Ready(network, *lessons, choice)


def base_of(examples: Examples) -> Base:
    """Return the base of the run; raises `TrainingError` where there is none."""
    if examples.support.base is None:
        raise TrainingError("there is no base model to fine-tune", fix="name one with `base:` in the project")
    return examples.support.base


def _work(assignment: Assignment) -> Work:
    """Return how much there is to do."""
    learn_from, examine = assignment.texts
    longest = max(int(part.lengths.max(initial=1)) for part in learn_from.parts)
    valid = 0 if examine is None else int(examine.lengths.sum())
    planned = as_int(assignment.settings, "epochs", assignment.plan.epochs)
    epochs = as_int(assignment.settings, "best_epoch", planned)
    return Work(int(learn_from.lengths.sum()), valid, longest, len(learn_from), epochs, assignment.most_epochs)


def _choice(encoder: Encoder, assignment: Assignment, clock: Clock, scratch: Path) -> Choice:
    """Return what learns: as the settings say, or the deepest that fits."""
    settings = assignment.settings
    size, work = choosing.size_of(encoder), _work(assignment)
    taken_mb = psutil.Process().memory_info().rss / 1e6
    free_mb = psutil.virtual_memory().available / 1e6 * FREE_SHARE
    room = Room(
        memory_mb=min(assignment.train.support.memory_mb - taken_mb, free_mb),
        disk_mb=shutil.disk_usage(scratch).free / 1e6,
        weight_bytes=choosing.MIXED_BYTES if assignment.plan.mixout > 0 else choosing.WEIGHT_BYTES,
    )
    if settings is not None and "depth" in settings:
        depth = min(as_int(settings, "depth", 1), size.layers)
        method: Method = "lora" if settings.get("method") == "lora" else "layers"
        return choosing.fitted_to_memory(size, work, depth, room, methods=(method,)) or Choice(method, depth)
    speed = None if math.isinf(clock.deadline) else choosing.measure(encoder)
    return choosing.choose(size, work, speed, room=room, seconds=clock.left())


def _lessons(texts: Texts, network: Tuned, choice: Choice, folder: Path, clock: Clock) -> Texts:
    """Return the texts with what the lower layers make of them, where that is kept."""
    if not choice.keeps or network.cut.entry == 0 or not _is_cut_cleanly(network, texts[0]):
        return texts
    store = StateStore(folder)
    examine = None if texts[1] is None else kept_columns(texts[1], network, store, clock)
    return kept_columns(texts[0], network, store, clock), examine


def _is_cut_cleanly(network: Tuned, texts: Columns) -> bool:
    """Tell whether the upper layers can run alone; they cannot where they lean on more than the states."""
    ids, mask = texts.parts[0].batch(np.arange(min(CUT_CHECKED, len(texts))), None)
    return agrees(network.cut.eval(), ids, mask)


def rows_of_head(texts: Columns, seed: int) -> np.ndarray:
    """Return the rows over whose pooled outputs a head is solved: some only, where they are not at hand for all."""
    rows = np.arange(len(texts))
    if isinstance(texts.parts[0], KeptStates):
        return rows
    return np.sort(np.random.default_rng(seed).permutation(rows)[: choosing.HEAD_ROWS])


def start_head(network: Tuned, texts: Columns, assignment: Assignment) -> None:
    """Solve the head over the pooled outputs of the base."""
    rows = rows_of_head(texts, assignment.seed)
    some = assignment.train.take(rows)
    lesson = Lesson(texts.take(rows), some.y, some.weight)
    with seeded(assignment.seed):
        pooled = pooled_of(texts.take(rows), network)
        solve_head(network.head, pooled, lesson, assignment.task, assignment.plan, seed=assignment.seed)
