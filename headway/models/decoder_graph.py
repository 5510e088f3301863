"""A decoder with its tokenizer as what ships, and how likely it finds texts."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import polars as pl

from headway.data.corpus.reading import TEXT
from headway.data.dataset import Form
from headway.decoders.exporting import Precision, export_decoder
from headway.decoders.packaging import Held, figures_of, gate
from headway.decoders.recovering import recover
from headway.decoders.stack import DecoderConfig, Weights
from headway.models.conversations import lay_out_talks
from headway.models.rows import JUDGED_WINDOW, judge_rows
from headway.models.sequences import AFTER_PROMPT, Sequences, lay_out
from headway.package.graph import Graph
from headway.package.measuring import Measured, measure_writing_memory
from headway.runtime.archive import MODEL
from headway.runtime.generation.generator import Generator, assemble_generator
from headway.runtime.generation.prompts import Prompt, Prompts
from headway.runtime.generation.verse import MARKS
from headway.runtime.generation.wishes import Wish
from headway.runtime.manifest import Chat, Generation, Manifest, Turn

TOKENIZER, FACTS = "tokenizer.json", "decoder.json"
# Tokens of a batch that is judged, and the logits that it may take in MB.
_TOKENS, _LOGITS_MB = 4_096, 128
_TIMES, _PATIENCE = 3, 3.0
# A conversation is the words of those who speak, a line each: what a prompt with several turns was learnt as.
CHAT = Chat("", {name: Turn("", AFTER_PROMPT) for name in ("system", "user", "assistant")}, "")


@dataclass(frozen=True)
class DecoderFacts:
    """What is to be known of a decoder beside its graph.

    `form`: of the text it learnt from; `begin` stands before a text, `end` after it; `units`: what its tokens are.
    `chat`: how a pretrained one writes conversations, None for one that continues its prompts; `ends`: all tokens that
    end its texts, empty where `end` is the only one. `proof`: what its few bits cost (`packaging.figures_of`), with the
    `precision`; empty where the graph is in float32.
    """

    form: Form
    begin: int
    end: int
    units: str
    chat: Chat | None = None
    ends: tuple[int, ...] = ()
    precision: str = "float32"
    proof: Mapping[str, float] = field(default_factory=dict)


def decoder_graph(
    config: DecoderConfig,
    weights: Weights,
    tokenizer: str,
    facts: DecoderFacts,
    *,
    precision: Precision = "float32",
) -> Graph:
    """Return a decoder as a graph; its files are the tokenizer and a description of both."""
    files = {TOKENIZER: tokenizer.encode(), FACTS: _written(config, replace(facts, precision=precision))}
    return Graph(export_decoder(config, weights, precision=precision), (), files)


def _written(config: DecoderConfig, facts: DecoderFacts) -> bytes:
    return json.dumps({"config": asdict(config), **asdict(facts)}, indent=1).encode()


def with_bits(graph: Graph, rows: pl.DataFrame, *, tokens: int) -> Graph:
    """Return a graph in as few bits as its perplexity on the first `tokens` of some rows allows, with the proof.

    What counts is what a row is judged by: of answers, not what was asked.
    """
    config, facts = facts_of(graph)
    laid = laid_out(graph, rows)
    texts, left = [], tokens
    for start, end in zip(laid.starts[:-1].tolist(), laid.starts[1:].tolist(), strict=True):
        if left > 0:
            first = max(1, int(laid.scored[start:end].argmax()))
            texts.append(Held(laid.ids[start : min(end, start + max(left, first + 1))].tolist(), first))
            left -= end - start
    # Weights lie as they are in float32.
    _, weights = recover(graph.onnx)
    whole = {name: weight for name, weight in weights.items() if isinstance(weight, np.ndarray)}
    gated = gate(config, whole, graph.files[TOKENIZER], generation_of(graph), texts=texts, onnx=graph.onnx)
    told = replace(facts, precision=gated.proof.precision, proof=figures_of(gated))
    return replace(graph, model=gated.onnx, files={**graph.files, FACTS: _written(config, told)})


def facts_of(graph: Graph) -> tuple[DecoderConfig, DecoderFacts]:
    """Return what `decoder_graph` was told."""
    told = json.loads(graph.files[FACTS])
    config, chat = DecoderConfig(**told.pop("config")), told.pop("chat", None)
    if chat is not None:
        chat = Chat(**{**chat, "roles": {role: Turn(**turn) for role, turn in chat["roles"].items()}})
    return config, DecoderFacts(**{**told, "ends": tuple(told.get("ends", ()))}, chat=chat)


def judge_graph(graph: Graph, rows: pl.DataFrame) -> np.ndarray:
    """Return float32 `[n, 2]`: nats and tokens of each row's text, by the graph as it ships."""
    config, laid = facts_of(graph)[0], laid_out(graph, rows)
    session = _Session(graph, config)
    found = np.zeros(len(laid.ids))
    most = min(_TOKENS, _LOGITS_MB * 2**18 // config.vocabulary)
    for judged in judge_rows(laid, min(config.window, JUDGED_WINDOW), most_tokens=most):
        logits = session.logits(judged.ids, judged.lengths, judged.row * judged.ids.shape[1] + judged.column)
        targets = laid.ids[judged.token]
        top = logits.max(axis=1)
        total = np.log(np.exp(logits - top[:, None]).sum(axis=1, dtype=np.float64)) + top
        found[judged.token] = total - logits[np.arange(len(targets)), targets]
    return laid.sums(found, rows.height)


def laid_out(graph: Graph, rows: pl.DataFrame) -> Sequences:
    """Return rows as sequences in the words of a graph."""
    _, facts = facts_of(graph)
    prompts = Prompts(graph.files[TOKENIZER], generation_of(graph))
    if facts.chat is not None:
        return lay_out_talks(rows, prompts, begin=facts.begin, end=facts.end)[0]
    return lay_out(rows, prompts.encoded, facts.form, begin=facts.begin, end=facts.end)


def generation_of(graph: Graph, *, lengths: Sequence[int] = ()) -> Generation:
    """Return how a package of this graph writes; `lengths` are those of the lines of verse, where it writes verse."""
    config, facts = facts_of(graph)
    lines = tuple(lengths) if facts.units == "characters" else ()
    ends = facts.ends or (facts.end,)
    if facts.chat is not None:
        return Generation(config.window, ends, None, facts.chat, facts.precision, lines=lines)
    chat = CHAT if facts.form == "answers" else None
    return Generation(config.window, ends, facts.begin, chat, facts.precision, lines=lines)


def open_decoder(graph: Graph, *, lengths: Sequence[int] = ()) -> Generator:
    """Return a generator for a graph in memory, as a package of it writes."""
    manifest = Manifest("graph", "generate", TEXT, (), (), generation=generation_of(graph, lengths=lengths))
    return assemble_generator(manifest, {MODEL: graph.onnx, TOKENIZER: graph.files[TOKENIZER]})


def continue_texts(
    generator: Generator, prompts: Sequence[Prompt], *, tokens: int, temperature: float, top_p: float, seed: int
) -> list[str]:
    """Return what follows each prompt, whose start is left out where it would not fit in the window.

    A line of verse that the window cut off is left out too.
    """
    lines = generator.prompts.facts.lines
    fitting = [fitted(prompt, generator) for prompt in prompts]
    found = generator.generate(fitting, max_tokens=tokens, temperature=temperature, top_p=top_p, seed=seed)
    return [whole_lines(each.text) if lines and each.finish == "length" else each.text for each in found]


def fitted(prompt: Prompt, generator: Generator) -> Prompt:
    """Return a prompt that leaves at least half of the window; of a conversation, older turns go first."""
    window = generator.decoder.window
    if isinstance(prompt, str):
        # A character that the tokenizer does not know is written in several tokens.
        while (tokens := len(generator.ids_of(prompt))) > window // 2 and len(prompt) > 1:
            prompt = prompt[-max(1, min(len(prompt) - 1, len(prompt) * (window // 2) // tokens)) :]
        return prompt
    messages = list(prompt)
    while len(generator.ids_of(messages)) > window // 2:
        first = next(place for place, message in enumerate(messages) if message.role != "system")
        if any(message.role == "user" for message in messages[first + 1 :]):
            del messages[first]
        elif len(messages[first].content) > 1:
            content = messages[first].content
            messages[first] = replace(messages[first], content=content[-(len(content) // 2) :])
        else:
            break
    return messages


def whole_lines(text: str) -> str:
    """Return a text up to its last mark."""
    last = max((text.rfind(mark) for mark in MARKS), default=-1)
    return text[: last + 1]


def measure_decoder(graph: Graph, *, memory: bool = True) -> Measured:
    """Return what writing costs: milliseconds a token of one text alone, and tokens a second of eight at once.

    Without `memory`, which takes a process of its own, that is NaN.
    """
    generator = open_decoder(graph)
    tokens = max(8, min(64, generator.decoder.window // 2))
    taken: list[float] = []
    for seed in range(_TIMES):
        if sum(taken) > _PATIENCE:
            tokens = 8  # a large one tells as much in fewer
            break
        began, count = time.perf_counter(), 0
        for piece in generator.stream(AFTER_PROMPT, Wish(max_tokens=tokens, seed=seed)):
            if count:  # the first one pays for reading the prompt
                taken.append(time.perf_counter() - began)
            began, count = time.perf_counter(), piece.tokens
    began = time.perf_counter()
    written = generator.generate([AFTER_PROMPT] * 8, max_tokens=tokens, seed=0)
    rate = sum(each.tokens for each in written) / (time.perf_counter() - began)
    size = sum(map(len, (graph.onnx, graph.files[TOKENIZER]))) / 2**20
    p50, p95 = np.quantile(taken or [0.0], [0.5, 0.95]) * 1000
    files = {MODEL: graph.onnx, TOKENIZER: graph.files[TOKENIZER]}
    taken_mb = measure_writing_memory(generator.manifest, files, [AFTER_PROMPT] * 8) if memory else math.nan
    return Measured(round(float(p50), 4), round(float(p95), 4), round(rate, 1), round(size, 4), taken_mb)


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
