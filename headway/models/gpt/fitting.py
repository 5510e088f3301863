"""Fit the transformer: tokenizer, size and schedule from the corpus and the time, then training."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import torch

from headway.compute.clock import Clock
from headway.compute.vectors import digest_of
from headway.data.corpus.form import find_form
from headway.data.corpus.reading import PROMPT, TEXT
from headway.models.decoder_graph import DecoderFacts, decoder_graph
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.going_on import GOES_ON_FROM
from headway.models.gpt import continuing
from headway.models.gpt.continuing import Begun, HeldBack
from headway.models.gpt.network import Decoder, weights_of
from headway.models.gpt.plan import TOKENS_A_STEP, Plan, Size, plan_for
from headway.models.gpt.tokenizing import Kind, Words, choose_kind, make_words
from headway.models.gpt.training import Training, losses_of, timed
from headway.models.sequences import AFTER_PROMPT, Sequences, lay_out, prompts_of
from headway.networks.checkpoints import Checkpoints
from headway.networks.device import has_bfloat16, limited, seeded
from headway.package.graph import Graph
from headway.tasks import Generate, Task
from headway.tasks.recipe import Recipe

# The network on which the speed of this machine is measured: weights times tokens a second hardly depend on the size.
PROBED = Size(128, 4)
# What an estimate is about: so small a network that reads the text so often is worth having.
ESTIMATED, ESTIMATED_READINGS = Size(64, 3), 4
# What torch takes beyond weights and activations while it trains.
WORKSPACE_MB = 400.0
# From this many times slower on one thread beats all of them: other work holds the cores, and threads wait.
CROWDED = 1.25


@dataclass(frozen=True)
class Written:
    """A trained network with its tokenizer, and how it got there.

    `kept_as`: the name under which a fit on all texts finds it; `searching_seconds`: see `Fitted`.
    """

    network: Decoder
    words: Words
    task: Generate
    plan: Plan
    train_loss: tuple[float, ...]
    valid_loss: tuple[float, ...]
    notes: tuple[str, ...] = ()
    kept_as: str | None = None
    searching_seconds: float = 0.0

    @property
    def settings(self) -> Settings:
        """Return what another fit needs to do the same."""
        known = known_of(self.plan, self.words)
        return known if self.kept_as is None else {**known, GOES_ON_FROM: self.kept_as}

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the loss in nats a token, at even steps through the training."""
        return (Curve("loss", self.train_loss, self.valid_loss),)

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return float32 `[n, 2]`: nats and tokens of each row's text."""
        laid = lay_out_for(rows, self.words, self.task)
        with limited(self.plan.threads):
            return laid.sums(losses_of(self.network, laid, self.plan), rows.height)

    def graph(self) -> Graph:
        """Return the network as a decoder graph with its tokenizer."""
        facts = DecoderFacts(self.task.form, begin_of(self.words, self.task), self.words.end, self.words.kind)
        config = self.plan.config(self.words.size)
        return decoder_graph(config, weights_of(self.network), self.words.to_json(), facts)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate what a small network wants, by the speed of a few steps; `fit` takes a larger one where time allows."""
    assert isinstance(task, Generate)
    speed = speed_on(train, task, seed=seed)
    kind = choose_kind(train.rows[TEXT].to_list())
    tokens = max(64, int(train.y.sum() / (1 if kind == "characters" else 3)))
    read = tokens * (recipe.epochs or ESTIMATED_READINGS) * ESTIMATED.parameters(speed.vocabulary)
    activations = TOKENS_A_STEP * (PROBED.width * PROBED.layers * 20 + 2 * speed.vocabulary) * 4 / 1e6
    memory = PROBED.parameters(speed.vocabulary) * 16 / 1e6 + activations + WORKSPACE_MB
    return Estimate(read / speed.rate, memory)


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Written:
    """Train as large a network as the time and the text allow; see `Family.fit`."""
    assert isinstance(task, Generate)
    started, scratch = time.monotonic(), train.support.scratch
    earlier = continuing.begun(settings, train, clock)
    if earlier is not None and settings is not None:
        return go_on(train, task, earlier, replay(settings), seed=seed, clock=clock)
    name = name_of(texts_of(train.rows), recipe, seed)
    checkpoints = None if scratch is None else Checkpoints(scratch / f"{name}.pt")
    kept = None if checkpoints is None else checkpoints.load()
    words, laid, plan = settle(train, task, recipe, kept, settings=settings, seed=seed, clock=clock)
    judged = None if valid is None else lay_out_for(valid.rows, words, task)
    goes_on = settings is None and scratch is not None and not math.isinf(clock.deadline)
    with seeded(seed), limited(plan.threads):
        network = Decoder(plan.config(words.size), dropout=plan.dropout)
        training = Training(
            network, laid, judged, plan, clock, seed, checkpoints=checkpoints, settings=known_of(plan, words)
        )
        if not math.isinf(clock.deadline):
            training.seconds_a_step = timed(training, steps=2) if kept is None else kept["seconds_a_step"]
        after = HeldBack()
        if goes_on and judged is not None:
            after = continuing.held_back(plan, len(judged.ids), step=training.seconds_a_step, left=clock.left())
            training.clock = clock.earlier(after.seconds * continuing.ASKED)
        training.fit_loop()
    is_kept = False
    if after.steps and scratch is not None:
        is_kept = continuing.keep(network, words, train, after.steps, continuing.file_of(scratch, name))
    told = told_of_long(laid, plan, task), training.trouble, "" if checkpoints is None else checkpoints.trouble
    return Written(
        network.eval(),
        words,
        task,
        replace(plan, steps=training.steps),
        tuple(training.train_loss),
        tuple(training.valid_loss),
        tuple(each for each in told if each),
        kept_as=name if is_kept else None,
        searching_seconds=max(0.0, time.monotonic() - started - after.seconds) if is_kept else 0.0,
    )


def settle(
    train: Examples,
    task: Generate,
    recipe: Recipe,
    kept: Mapping[str, Any] | None,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> tuple[Words, Sequences, Plan]:
    """Return the units, the texts in them, and the plan: those of `settings`, of a checkpoint `kept`, or new ones."""
    texts = texts_of(train.rows)
    settings = kept["plan"] if kept is not None and settings is None else settings
    is_hurried = settings is None and not math.isinf(clock.deadline)
    speed = speed_on(train, task, seed=seed) if is_hurried else None
    words = make_words(texts, kind_of(train, texts, settings, speed, clock))
    laid = lay_out_for(train.rows, words, task)
    plan = replay(settings) if settings is not None else plan_of(laid, words, recipe, speed, clock)
    # Another number of threads would round otherwise, and part the curves.
    return words, laid, plan if kept is None else replace(plan, threads=kept["threads"])


def go_on(train: Examples, task: Generate, begun: Begun, plan: Plan, *, seed: int, clock: Clock) -> Written:
    """Go on from an earlier training through what it has not read and as much of what it has."""
    part = train.take(begun.positions(train, seed=seed))
    laid = lay_out_for(part.rows, begun.words, task)
    plan = continuing.gentler(plan, begun.steps)
    with seeded(seed), limited(plan.threads):
        network = Decoder(plan.config(begun.words.size), dropout=plan.dropout)
        network.load_state_dict(begun.values, strict=False)
        training = Training(network, laid, None, plan, clock, seed)
        training.fit_loop()
    return Written(network.eval(), begun.words, task, plan, tuple(training.train_loss), ())


@dataclass(frozen=True)
class Speed:
    """Weights times tokens a second (`rate`), and the precision and number of threads (`way`) with which it is reached.

    `vocabulary` is that of the texts it was measured on.
    """

    rate: float
    way: Mapping[str, Any]
    vocabulary: int


def speed_on(train: Examples, task: Generate, *, seed: int) -> Speed:
    """Measure the speed of this machine on the beginning of a corpus, by character."""
    part = train.take(np.arange(min(len(train), 64)))
    words = make_words(texts_of(part.rows), "characters")
    return Speed(*speed_of(lay_out_for(part.rows, words, task), words.size, seed=seed), words.size)


def kind_of(
    train: Examples, texts: Sequence[str], settings: Settings | None, speed: Speed | None, clock: Clock
) -> Kind:
    """Return the units of earlier `settings`, or those in which most is learnt in the time there is.

    Verse is written by character: only so is its form kept.
    """
    if settings is not None:
        return str(settings["tokens"])  # type: ignore[return-value]
    if find_form(train.rows[TEXT].to_list()):
        return "characters"
    if speed is None:
        return choose_kind(texts)
    reading = PROBED.parameters(speed.vocabulary) * max(1, sum(map(len, texts)))
    return choose_kind(texts, readings=speed.rate * clock.left() / reading)


def plan_of(laid: Sequences, words: Words, recipe: Recipe, speed: Speed | None, clock: Clock) -> Plan:
    """Return the plan for a text and the time there is, which is endless where no `speed` was measured."""
    readable = math.inf if speed is None else speed.rate * clock.left()
    longest = longest_of(laid)
    plan = plan_for(recipe, tokens=len(laid.ids), longest=longest, vocabulary=words.size, readable=readable)
    return plan if speed is None else replace(plan, **speed.way)


def speed_of(laid: Sequences, vocabulary: int, *, seed: int) -> tuple[float, dict[str, Any]]:
    """Return weights times tokens a second, and the precision and number of threads that are fastest here and now."""
    window = min(64, len(laid.ids) - 2)
    rows = max(1, min(TOKENS_A_STEP // 64, len(laid.ids) // window))
    plan = Plan(PROBED, window, 1, rows, learning_rate=0.0)
    ways: list[dict[str, Any]] = [{"precision": "float32"}]
    if has_bfloat16(torch.device("cpu")):
        ways.append({"precision": "auto"})
    seconds = {number: seconds_of(replace(plan, **way), laid, vocabulary, seed) for number, way in enumerate(ways)}
    way = ways[min(seconds, key=seconds.__getitem__)]
    best = min(seconds.values())
    if torch.get_num_threads() > 1:
        alone = seconds_of(replace(plan, **way, threads=1), laid, vocabulary, seed)
        if alone * CROWDED < best:
            way, best = {**way, "threads": 1}, alone
    return PROBED.parameters(vocabulary) * plan.tokens / best, way


def seconds_of(plan: Plan, laid: Sequences, vocabulary: int, seed: int) -> float:
    """Return the seconds of one step of a plan."""
    with seeded(seed), limited(plan.threads):
        network = Decoder(plan.config(vocabulary))
        return timed(Training(network, laid, None, plan, Clock(), seed))


def known_of(plan: Plan, words: Words) -> dict[str, Any]:
    """Return a plan and its units as settings that JSON can hold; `replay` and `kind_of` read them."""
    kept = {name: value for name, value in asdict(plan).items() if name not in ("size", "threads")}
    return {**kept, **asdict(plan.size), "tokens": words.kind, "vocabulary": words.size}


def replay(settings: Mapping[str, Any]) -> Plan:
    """Return the plan that settings describe, which may have travelled through JSON."""
    names = ("window", "steps", "batch_size", "optimizer", "learning_rate", "weight_decay", "dropout", "schedule",
             "warmup", "clip", "short_share", "precision")  # fmt: skip
    size = Size(int(settings["width"]), int(settings["layers"]))
    return Plan(size, **{name: settings[name] for name in names})


def told_of_long(laid: Sequences, plan: Plan, task: Generate) -> str:
    """Say how many texts are longer than what is read at once; nothing where none is, or where all is one text."""
    lengths = np.diff(laid.starts)
    longer = 0 if task.form == "stream" else int((lengths > plan.window + 1).sum())
    if not longer:
        return ""
    return (
        f"{longer:,} of {len(lengths):,} texts have more than the {plan.window:,} tokens that are read at once: "
        "they are learnt in pieces"
    )


def name_of(texts: Sequence[str], recipe: Recipe, seed: int) -> str:
    """Return the name under which a training keeps its state: it tells of all that it depends on but the time."""
    return f"gpt-{digest_of(repr((texts, recipe, seed)).encode()).hex()}"


def lay_out_for(rows: pl.DataFrame, words: Words, task: Generate) -> Sequences:
    """Return rows as sequences of a tokenizer's ids."""
    return lay_out(rows, words.encode, task.form, begin=begin_of(words, task), end=words.end)


def begin_of(words: Words, task: Generate) -> int:
    """Return what stands before a text: an end, or in a running text, which has none, a new line."""
    return int(words.encode([AFTER_PROMPT])[0][-1]) if task.form == "stream" else words.end


def texts_of(rows: pl.DataFrame) -> list[str]:
    """Return all text of a corpus, prompts included."""
    prompts = prompts_of(rows) if PROMPT in rows.columns else []
    return [*rows[TEXT].to_list(), *prompts]


def longest_of(laid: Sequences) -> int:
    """Return the tokens of the longest text."""
    return int(np.diff(laid.starts).max())
