"""Fit the adapters: the base opened, texts laid out in its words, answers taught, then preferences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from headway.compute.clock import Clock
from headway.compute.vectors import digest_of
from headway.data.corpus.reading import TEXT
from headway.errors import TrainingError
from headway.models.conversations import worse_of
from headway.models.decoder_graph import decoder_graph
from headway.models.family import Curve, Estimate, Examples, Settings
from headway.models.lora.adapters import Dense
from headway.models.lora.answers import nats_of
from headway.models.lora.four_bits import FourBits, can_pack
from headway.models.lora.kept import Kept, Room
from headway.models.lora.lessons import MICRO_TOKENS, Answers
from headway.models.lora.material import Material, answers_of, lay_out_rows, material_of, pairs_of
from headway.models.lora.network import Merged, Tuned
from headway.models.lora.packing import pack
from headway.models.lora.plan import DEPTHS, Plan, plan_for
from headway.models.lora.schooling import Lessons, School, course_file
from headway.models.lora.speed import operations_a_token, speed_of
from headway.models.rows import JUDGED_WINDOW, judge_rows
from headway.networks.checkpoints import Checkpoints
from headway.networks.device import limited, seeded
from headway.package.graph import Graph
from headway.tasks import Generate, Task
from headway.tasks.recipe import Recipe

# Rows whose tokens are counted for an estimate, and readings of the data that are worth waiting for.
COUNTED, READINGS = 64, 1
# Products are this share of a step's time; the rest are norms, attention and the optimiser.
PRODUCT_SHARE = 0.6
# Of what lower layers that do not learn make of texts, so much is kept at most.
MOST_KEPT_MB = 800.0
# What torch takes beyond weights and activations, and the process besides; how often the weights are in memory while a
# graph is made; and the fewest tokens worth a pass.
WORKSPACE_MB, PROCESS_MB, COPIES, FEWEST_TOKENS = 400.0, 500.0, 3.5, 256


@dataclass(frozen=True)
class Taught:
    """A decoder with its adapters, and how it got there."""

    network: Tuned
    material: Material
    plan: Plan
    taken: tuple[int, int]
    curves: tuple[Curve, ...]
    notes: tuple[str, ...] = ()

    @property
    def settings(self) -> Settings:
        """Return what another fit needs to do the same."""
        kept = {name: value for name, value in asdict(self.plan).items() if name != "threads"}
        return {**kept, "taken": self.taken[0], "pairs_taken": self.taken[1]}

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return float32 `[n, 2]`: nats and tokens of each row's text."""
        laid, _ = lay_out_rows(rows, self.material)
        found = np.zeros(len(laid.ids))
        window = min(self.material.config.window, JUDGED_WINDOW)
        network = self.network
        with limited(self.plan.threads), torch.inference_mode():
            for judged in judge_rows(laid, window, most_tokens=MICRO_TOKENS):
                rows_of = zip(judged.ids, judged.lengths, strict=True)
                packed = pack([ids[:length] for ids, length in rows_of])
                wanted = packed.place[torch.from_numpy(judged.row), torch.from_numpy(judged.column)]
                labels = torch.from_numpy(laid.ids[judged.token].astype(np.int64)).to(network.device)
                states = network.finished(network(packed.to(network.device)), wanted.to(network.device))
                found[judged.token] = nats_of(states, network.head, labels).cpu().numpy()
        return laid.sums(found, rows.height)

    def graph(self) -> Graph:
        """Return the decoder with the adapters merged into it, as the package writes."""
        weights = Merged(self.network, self.material.weights)
        return decoder_graph(self.material.config, weights, self.material.tokenizer.decode(), self.material.facts)


def estimate(train: Examples, task: Task, recipe: Recipe, *, seed: int) -> Estimate:
    """Estimate what reading all rows once wants, few layers learning, by the speed of a product.

    `fit` reads more, and teaches more layers, where time allows.
    """
    del seed
    assert isinstance(task, Generate)
    check_pairs(recipe, len(worse_of(train.rows)[1]))
    material = material_of(train.support.base, task)
    part = train.rows.head(COUNTED)
    texts, _ = answers_of(part, material)
    count = sum(map(len, texts))
    tokens = count * float(train.y.sum()) / max(1.0, float(part[TEXT].str.len_chars().sum() or 1))
    answered = sum(int(text.learnt.sum()) for text in texts) / max(1, count)
    speed = speed_of(material.config, device_of())
    operations = tokens * operations_a_token(material.config, answer_share=answered) * (1 + DEPTHS[-1]) / 2
    seconds = (recipe.epochs or READINGS) * operations / (speed.operations * PRODUCT_SHARE)
    return Estimate(max(1.0, seconds), max(COPIES * weights_mb(material), teaching_mb(material, FEWEST_TOKENS)))


def weights_mb(material: Material) -> float:
    """Return the weights in megabytes."""
    return sum(array.size for array in material.weights.values()) * 4 / 1e6


def teaching_mb(material: Material, tokens: int) -> float:
    """Return what training takes: the weights, a copy of the maps, and the activations of so many tokens."""
    config = material.config
    numbers = config.layers * (13 * config.width + 3 * config.hidden)
    return 1.8 * weights_mb(material) + tokens * numbers * 4 / 1e6 + WORKSPACE_MB


def tokens_that_fit(material: Material, memory: float) -> int:
    """Return how many tokens may go through at once where the whole process may take `memory` megabytes."""
    one = teaching_mb(material, 1) - teaching_mb(material, 0)
    fitting = (memory - PROCESS_MB - teaching_mb(material, 0)) / one
    return int(max(FEWEST_TOKENS, min(MICRO_TOKENS, fitting)))


def room_for_states(material: Material, memory: float, micro: int) -> Room:
    """Return the room for what lower layers make of texts, where the whole process may take `memory` megabytes."""
    return Room(min(MOST_KEPT_MB, max(0.0, memory - PROCESS_MB - teaching_mb(material, micro))))


def device_of() -> torch.device:
    """Return where adapters learn: a CUDA device where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fit(
    train: Examples,
    valid: Examples | None,
    task: Task,
    recipe: Recipe,
    *,
    settings: Settings | None,
    seed: int,
    clock: Clock,
) -> Taught:
    """Teach the adapters as long as the time allows; see `Family.fit`."""
    assert isinstance(task, Generate)
    material = material_of(train.support.base, task)
    micro = tokens_that_fit(material, train.support.memory_mb)
    room = room_for_states(material, train.support.memory_mb, micro)
    lessons, cut = lessons_of(train, valid, material, micro=micro, room=room)
    device, base = device_of(), train.support.base
    key = key_of(lessons, "" if base is None else base.digest, recipe, seed)
    kept = kept_settings(train.support.scratch, key)
    again = kept if settings is None else settings
    plan = replay(again) if again is not None else planned(lessons, material, recipe, device, clock)
    taken = None if settings is None else (int(settings["taken"]), int(settings["pairs_taken"]))
    with seeded(seed), limited(plan.threads):
        network = Tuned(
            material.config, material.weights, rank=plan.rank, alpha=plan.alpha, depth=plan.depth,
            dtype=getattr(torch, plan.precision), device=device, keep=FourBits if can_pack(device) else Dense,
        )  # fmt: skip
        school = School(network, plan, clock, seed, train.support.scratch, key, replay=taken)
        school.teach(lessons)
    notes = (
        *told_of_cuts(cut, len(train), material.window), *told_of_depth(plan, material.config.layers), *school.trouble
    )  # fmt: skip
    return Taught(network.eval(), material, school.plan, (*school.taken,), tuple(school.curves), notes)  # type: ignore[arg-type]


def lessons_of(
    train: Examples, valid: Examples | None, material: Material, *, micro: int, room: Room
) -> tuple[Lessons, int]:
    """Return what rows teach, and how many of the training texts had to be cut; see `Answers` for `micro`."""
    texts, cut = answers_of(train.rows, material)
    pairs = pairs_of(train.rows, material)
    answers = Answers(texts, micro, Kept(room))
    if valid is None:
        return Lessons(answers, pairs, None, [], room), cut
    judges, _ = answers_of(valid.rows, material)
    judge = Answers(judges, micro, Kept(room)) if judges else None
    return Lessons(answers, pairs, judge, pairs_of(valid.rows, material), room), cut


def kept_settings(scratch: Path | None, key: str) -> Settings | None:
    """Return the settings of a course that was killed, None where there was none."""
    files = [] if scratch is None else [course_file(scratch, key, name) for name in ("answers", "pairs")]
    found = [state for state in (Checkpoints(file).load() for file in files) if state is not None]
    return found[0]["plan"] if found else None


def planned(lessons: Lessons, material: Material, recipe: Recipe, device: torch.device, clock: Clock) -> Plan:
    """Return the plan for some lessons, as this machine does them fastest; raises `TrainingError` without any."""
    check_pairs(recipe, len(lessons.pairs))
    answers, speed = lessons.answers, speed_of(material.config, device)
    paired = sum(len(text) for pair in lessons.pairs for text in pair)
    once = (answers.tokens + paired) * operations_a_token(material.config, answer_share=0) / 2
    plan = plan_for(
        recipe, texts=len(answers), tokens=answers.tokens, pairs=len(lessons.pairs), window=material.window,
        layers=material.config.layers, passes=clock.left() * speed.operations * PRODUCT_SHARE / once,
    )  # fmt: skip
    return replace(plan, precision=speed.precision, threads=speed.threads)


def check_pairs(recipe: Recipe, pairs: int) -> None:
    """Raise `TrainingError` where nothing but preferences shall be learnt, and there is no pair."""
    if recipe.loss == "dpo" and not pairs:
        raise TrainingError(
            "there are no pairs to learn preferences from",
            where="training.loss",
            expected="records with chosen and rejected answers",
            got="answers that nobody compared",
            fix="remove training.loss, or name data with pairs",
        )


def replay(settings: Mapping[str, Any]) -> Plan:
    """Return the plan that settings describe, which may have travelled through JSON."""
    return Plan(**{each.name: settings[each.name] for each in fields(Plan) if each.name in settings})


def key_of(lessons: Lessons, digest: str, recipe: Recipe, seed: int) -> str:
    """Return what names a course by all that it depends on but the time."""
    said = repr((digest, recipe, seed, len(lessons.pairs))).encode()
    texts = [*lessons.answers.texts, *(text for pair in lessons.pairs for text in pair)]
    return digest_of(said + b"".join(text.ids.tobytes() for text in texts)).hex()


def told_of_depth(plan: Plan, layers: int) -> tuple[str, ...]:
    """Say how many layers learnt, where time was short."""
    if plan.depth >= layers:
        return ()
    return (f"the upper {plan.depth} of {layers} layers learn, as the time allows",)


def told_of_cuts(cut: int, rows: int, window: int) -> tuple[str, ...]:
    """Say how many conversations are longer than what is learnt at once, and what became of them."""
    if not cut:
        return ()
    told = (
        f"{cut:,} of {rows:,} conversations have more than {window:,} tokens: they lose the beginning of what is asked"
    )
    return (f"{told}, and of an answer that would not fit its end",)
