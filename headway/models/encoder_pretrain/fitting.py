"""Pretrain on unlabelled texts once for all folds, then fine-tune what came of it."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from headway.bases.base import Base
from headway.compute.clock import Clock
from headway.compute.drafts import whole_file, whole_folder
from headway.data.dataset import Column
from headway.encoders.masked import Course, pretrain
from headway.encoders.opening import open_encoder
from headway.encoders.proving import check_export
from headway.errors import TrainingError
from headway.models.encoder_finetune import choosing
from headway.models.encoder_finetune import fitting as finetuning
from headway.models.encoder_finetune.choosing import Choice, Work
from headway.models.encoder_finetune.fitting import Finetuned
from headway.models.encoder_finetune.reading import Reader
from headway.models.encoder_pretrain.starting import WINDOW, Start, start, texts_of
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.scratch import scratch_of
from headway.networks.batches import Sequences
from headway.networks.checkpoints import Checkpoints
from headway.package.graph import Graph
from headway.tasks import Task
from headway.tasks.recipe import Recipe

# Of the time, what pretraining may take; passes over the texts, of a base and of an encoder from scratch.
SHARE = 0.4
PASSES, FRESH_PASSES = 3, 20
RATE, FRESH_RATE = 1e-4, 7e-4
ROWS = 64
_PROBED = 256


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate one pass over the unlabelled texts, and fine-tuning."""
    texts = texts_of(train)
    with scratch_of(train.support) as scratch:
        begun = start(train, texts, scratch, seed=seed)
        few = texts[:: max(1, len(texts) // _PROBED)]
        lengths = read(begun.base, few).lengths
        encoder = open_encoder(begun.base)
        size = choosing.size_of(encoder)
        work = Work(int(lengths.mean() * len(texts)) if few else 0, 0, int(lengths.max(initial=1)), len(texts), 1)
        whole = Choice("layers", size.layers, keeps=False)
        seconds = choosing.seconds_of(whole, size, work, choosing.measure(encoder))
        memory = choosing.memory_of(whole, size, longest=work.longest)
        support = replace(train.support, base=begun.base)
        rest = finetuning.estimate(replace(train, support=support), task, recipe, seed=seed)
    return replace(rest, seconds=seconds + rest.seconds, memory_mb=max(memory, rest.memory_mb))


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Pretrained:
    """Pretrain, or find what an earlier fit of the run pretrained, and fine-tune it; see `Family.fit`."""
    began = time.perf_counter()
    texts = texts_of(train)
    if not texts:
        raise TrainingError("there are no unlabelled texts to learn from", fix="name some with `unlabelled:`")
    with scratch_of(train.support) as scratch:
        begun = start(train, texts, scratch, seed=seed)
        base, losses = further(begun, texts, scratch, seed=seed, clock=clock)
        pretraining = time.perf_counter() - began
        support = replace(train.support, base=base, scratch=scratch)
        fitted = finetuning.fit(
            replace(train, support=support), valid, task, recipe, settings=settings, seed=seed, clock=clock
        )
    return Pretrained(fitted, losses, fitted.searching_seconds + pretraining)


def further(
    begun: Start, texts: Sequence[str], scratch: Path, *, seed: int, clock: Clock
) -> tuple[Base, tuple[float, ...]]:
    """Return the base after it has learnt from the texts, kept under `scratch`, and the losses on the way."""
    said = hashlib.blake2b(f"{begun.base.digest}|{seed}".encode(), digest_size=12)
    for text in texts:
        said.update(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest())
    name = said.hexdigest()
    folder = scratch / f"pretrained-{name}"
    if not folder.exists():
        _learn(begun, texts, folder, scratch / name, seed=seed, clock=clock)
    losses = json.loads((folder / "losses.json").read_text(encoding="utf-8"))
    return replace(begun.base, folder=folder, digest=f"{begun.base.digest[:40]}-{name}"), tuple(losses)


def read(base: Base, texts: Sequence[str]) -> Sequences:
    """Return the tokens of texts, cut where a hidden token hardly depends on what stands further away."""
    short = replace(base, max_length=min(base.max_length, WINDOW))
    rows = pl.DataFrame({"text": list(texts)}, schema={"text": pl.String})
    reader = Reader.of(short, Examples(rows, (Column("text", "text"),), np.zeros(len(rows), np.int64)))
    tokens: Any = reader.read(rows).parts[0]
    return tokens  # type: ignore[no-any-return]


def _learn(begun: Start, texts: Sequence[str], folder: Path, notes: Path, *, seed: int, clock: Clock) -> None:
    """Pretrain within its share of the time and write the encoder, its tokenizer and its losses."""
    tokens = read(begun.base, texts)
    encoder = open_encoder(begun.base)
    check_export(encoder, begun.base)
    course = _course(begun, tokens, notes / "course.json", encoder, clock)
    losses = pretrain(
        encoder, tokens, course, seed=seed, clock=_part(clock), checkpoints=Checkpoints(notes / "checkpoint.pt")
    )
    with whole_folder(folder) as draft:
        encoder.backbone.save_pretrained(draft, safe_serialization=True)  # type: ignore[operator]
        (draft / "tokenizer.json").write_bytes((begun.base.folder / "tokenizer.json").read_bytes())
        (draft / "losses.json").write_text(json.dumps(losses), encoding="utf-8")


def _course(begun: Start, tokens: Sequences, note: Path, encoder: Any, clock: Clock) -> Course:
    """Return how many steps there is time for; what an earlier, killed fit found holds."""
    steps = math.ceil(len(tokens) / ROWS) * (FRESH_PASSES if begun.fresh else PASSES)
    if note.exists():
        steps = int(json.loads(note.read_text(encoding="utf-8"))["steps"])
    elif not math.isinf(clock.deadline):
        a_step = choosing.measure(encoder).training * float(tokens.lengths.mean()) * ROWS
        steps = max(1, min(steps, int(SHARE * clock.left() / a_step)))
    note.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(note) as draft:
        draft.write_text(json.dumps({"steps": steps}), encoding="utf-8")
    rate = FRESH_RATE if begun.fresh else RATE
    return Course(steps, ROWS, rate, begun.mask_id, begun.special, words=begun.fresh)


def _part(clock: Clock) -> Clock:
    """Return a clock that leaves time to fine-tune, should the steps take longer than they were timed to."""
    return clock if math.isinf(clock.deadline) else Clock.after(clock.left() * SHARE * 1.25)


@dataclass(frozen=True)
class Pretrained:
    """A fine-tuned encoder that was pretrained before; `searching_seconds`: see `Fitted`."""

    fitted: Finetuned
    losses: tuple[float, ...]
    searching_seconds: float = 0.0

    @property
    def settings(self) -> Settings:
        """Return what fine-tuning chose."""
        return self.fitted.settings

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the loss of guessing hidden tokens, then the curves of fine-tuning."""
        return Curve("loss of hidden tokens", self.losses), *self.fitted.curves

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values of the trained network."""
        return self.fitted.predict(rows)

    def graph(self) -> Graph:
        """Return the network as ONNX."""
        return self.fitted.graph()
