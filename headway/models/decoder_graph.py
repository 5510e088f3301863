"""A decoder with its tokenizer as what ships, and how likely it finds texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from headway.data.dataset import Form
from headway.decoders.exporting import Precision, export_decoder
from headway.decoders.stack import DecoderConfig, Weights
from headway.models.rows import judge_rows
from headway.models.sequences import lay_out
from headway.package.graph import Graph

TOKENIZER, FACTS = "tokenizer.json", "decoder.json"
# Tokens of a batch that is judged, and the logits that it may take in MB.
_TOKENS, _LOGITS_MB = 4_096, 128


@dataclass(frozen=True)
class DecoderFacts:
    """What is to be known of a decoder beside its graph.

    `form`: of the text it learnt from; `begin` stands before a text, `end` after it; `units`: what its tokens are.
    """

    form: Form
    begin: int
    end: int
    units: str


def decoder_graph(
    config: DecoderConfig,
    weights: Weights,
    tokenizer: str,
    facts: DecoderFacts,
    *,
    precision: Precision = "float32",
) -> Graph:
    """Return a decoder as a graph; its files are the tokenizer and a description of both."""
    told = json.dumps({"config": asdict(config), **asdict(facts)}, indent=1)
    files = {TOKENIZER: tokenizer.encode(), FACTS: told.encode()}
    return Graph(export_decoder(config, weights, precision=precision), (), files)


def facts_of(graph: Graph) -> tuple[DecoderConfig, DecoderFacts]:
    """Return what `decoder_graph` was told."""
    told = json.loads(graph.files[FACTS])
    return DecoderConfig(**told.pop("config")), DecoderFacts(**told)


def judge_graph(graph: Graph, rows: pl.DataFrame) -> np.ndarray:
    """Return float32 `[n, 2]`: nats and tokens of each row's text, by the graph as it ships."""
    from tokenizers import Tokenizer

    config, facts = facts_of(graph)
    tokenizer = Tokenizer.from_str(graph.files[TOKENIZER].decode())

    def encode(texts: Sequence[str]) -> list[np.ndarray]:
        return [np.array(found.ids, np.int32) for found in tokenizer.encode_batch_fast(list(texts))]

    laid = lay_out(rows, encode, facts.form, begin=facts.begin, end=facts.end)
    session = _Session(graph, config)
    found = np.zeros(len(laid.ids))
    most = max(config.window, min(_TOKENS, _LOGITS_MB * 2**18 // config.vocabulary))
    for judged in judge_rows(laid, config.window, most_tokens=most):
        logits = session.logits(judged.ids, judged.lengths, judged.row * judged.ids.shape[1] + judged.column)
        targets = laid.ids[judged.token]
        top = logits.max(axis=1)
        total = np.log(np.exp(logits - top[:, None]).sum(axis=1, dtype=np.float64)) + top
        found[judged.token] = total - logits[np.arange(len(targets)), targets]
    return laid.sums(found, rows.height)


def continue_texts(
    graph: Graph, prompts: Sequence[str], *, characters: int, temperature: float, top_p: float, seed: int
) -> list[str]:
    """Return what the graph writes after each prompt: up to so many characters, up to a text's end."""
    from tokenizers import Tokenizer

    config, facts = facts_of(graph)
    tokenizer = Tokenizer.from_str(graph.files[TOKENIZER].decode())
    session, random = _Session(graph, config), np.random.default_rng(seed)
    written = [[facts.begin, *tokenizer.encode(prompt).ids] for prompt in prompts]
    before = [len(ids) for ids in written]
    open_rows = list(range(len(prompts)))
    for _ in range(characters):
        if not open_rows:
            break
        tails = [written[row][-config.window :] for row in open_rows]
        lengths = np.array([len(tail) for tail in tails])
        ids = np.zeros((len(tails), int(lengths.max())), np.int64)
        for row, tail in enumerate(tails):
            ids[row, : len(tail)] = tail
        logits = session.logits(ids, lengths, np.arange(len(tails)) * ids.shape[1] + lengths - 1)
        tokens = [draw(each, random, temperature, top_p) for each in logits]
        for row, token in zip(list(open_rows), tokens, strict=True):
            if token == facts.end:
                open_rows.remove(row)
            else:
                written[row].append(token)
    return [tokenizer.decode(ids[start:]) for ids, start in zip(written, before, strict=True)]


def draw(logits: np.ndarray, random: np.random.Generator, temperature: float, top_p: float) -> int:
    """Return a token drawn from the most probable ones that make up `top_p` (Holtzman et al. 2020)."""
    chances = np.exp((logits - logits.max()).astype(np.float64) / max(temperature, 1e-3))
    order = np.argsort(-chances)
    sums = np.cumsum(chances[order]) / chances.sum()
    kept = order[: int(np.searchsorted(sums, top_p)) + 1]
    return int(random.choice(kept, p=chances[kept] / chances[kept].sum()))


class _Session:
    """A decoder that reads whole texts, nothing before them."""

    def __init__(self, graph: Graph, config: DecoderConfig) -> None:
        from headway.runtime.session import cores, open_session

        self.session, self.config = open_session(graph.onnx, threads=cores()), config

    def logits(self, ids: np.ndarray, lengths: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Return float32 `[wanted, vocabulary]` at places of the flattened ids `[rows, length]`."""
        config = self.config
        empty = np.zeros((len(ids), config.key_value_heads, 0, config.head_width), np.float32)
        past = {f"past.{layer}.{part}": empty for layer in range(config.layers) for part in ("key", "value")}
        feeds = {
            "ids": ids,
            "last": (lengths - 1).astype(np.int32),
            "total": np.array(int(lengths.max()), np.int32),
            "wanted": wanted.astype(np.int64),
            **past,
        }
        return np.asarray(self.session.run(["logits"], feeds)[0])
