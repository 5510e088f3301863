"""A decoder as a GGUF file (ggml, docs/gguf.md), with its weights in the same bits."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headway.decoders.packing import BLOCK, Packed, unpack
from headway.decoders.recovering import Weight, recover, rows_of
from headway.decoders.stack import EMBEDDING, HEAD, NORM, DecoderConfig, layer_name
from headway.errors import ExportError, MissingExtraError
from headway.export.content import Content, Options
from headway.export.gguf.notes import write_note
from headway.export.gguf.tokens import write_tokenizer
from headway.export.packed import Packed as Package
from headway.runtime.archive import MODEL

if TYPE_CHECKING:
    from gguf import GGUFWriter

_PARTS = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def make_gguf(packed: Package, options: Options) -> Content:
    """Return the file with notes in English and Chinese; raises `ExportError` for what llama.cpp does not know."""
    del options
    try:
        from gguf import GGUFWriter
    except ImportError as error:
        raise MissingExtraError("deep", purpose="writing a GGUF file") from error
    facts = packed.manifest.generation
    assert facts is not None
    config, weights = recover(packed.files[MODEL])
    if not config.is_llama:
        raise ExportError(
            "this decoder has another layout than Llama's, and its GGUF file is not written yet",
            expected="RMSNorm, rotary positions, SwiGLU, no biases",
            got=f"{config.norm} norms, {config.positions} positions, {config.feed}, biases: {config.biases}",
            fix="export it --to transformers, or serve the package with headway",
        )
    tokenizer = json.loads(packed.files[facts.tokenizer])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        writer = GGUFWriter(path, "llama")
        _write_sizes(writer, config, packed)
        write_tokenizer(writer, tokenizer, facts, config.vocabulary)
        for name, weight in _named(config, weights).items():
            _write_weight(writer, name, weight)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        content = path.read_bytes()
    name = f"{packed.slug}.gguf"
    notes = {"README.md": write_note(name, facts, "en"), "README.zh.md": write_note(name, facts, "zh")}
    return Content({name: content, **{file: text.encode() for file, text in notes.items()}})


def _write_sizes(writer: GGUFWriter, config: DecoderConfig, packed: Package) -> None:
    writer.add_name(packed.manifest.name)
    writer.add_context_length(config.window)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.hidden)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.key_value_heads)
    writer.add_rope_dimension_count(config.head_width)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.norm_epsilon)
    writer.add_vocab_size(config.vocabulary)


def _named(config: DecoderConfig, weights: dict[str, Weight]) -> dict[str, Weight]:
    """Return the weights under the names of GGUF, queries and keys with interleaved rotary halves."""
    named = {"token_embd": weights[EMBEDDING], "output_norm": weights[NORM]}
    if not config.tied:
        named["output"] = weights[HEAD]
    heads = {"self_attn.q_proj": config.heads, "self_attn.k_proj": config.key_value_heads}
    for number in range(config.layers):
        for ours, theirs in _PARTS.items():
            weight = weights[layer_name(number, ours)]
            if ours in heads:
                weight = rows_of(weight, interleaved(heads[ours], config.head_width))
            named[f"blk.{number}.{theirs}"] = weight
    return {f"{name}.weight": weight for name, weight in named.items()}


def interleaved(heads: int, width: int) -> np.ndarray:
    """Return the order of rows in which the rotary halves of each head alternate."""
    return np.arange(heads * width).reshape(heads, 2, width // 2).swapaxes(1, 2).reshape(-1)


def _write_weight(writer: GGUFWriter, name: str, weight: Weight) -> None:
    from gguf import GGMLQuantizationType

    if isinstance(weight, np.ndarray):
        writer.add_tensor(name, weight)
    elif weight.shape[1] % BLOCK:  # ggml's blocks must fill a row
        writer.add_tensor(name, unpack(weight).astype(np.float16))
    elif weight.bits == 8:
        writer.add_tensor(name, to_q8(weight), raw_dtype=GGMLQuantizationType.Q8_0)
    else:
        writer.add_tensor(name, to_q4(weight), raw_dtype=GGMLQuantizationType.Q4_1)


def to_q8(weight: Packed) -> np.ndarray:
    """Return Q8_0 blocks, uint8 `[out, bytes]`: a float16 scale, then 32 values."""
    scales = weight.scales.astype("<f2")[..., None].view(np.uint8)
    values = (weight.values.astype(np.int16) - 128).astype(np.int8).view(np.uint8)
    return np.concatenate([scales, values], axis=-1).reshape(len(values), -1)


def to_q4(weight: Packed) -> np.ndarray:
    """Return Q4_1 blocks, uint8 `[out, bytes]`: float16 scale and least value, then 32 values, halves side by side."""
    assert weight.zeros is not None
    zeros = np.stack([weight.zeros & 15, weight.zeros >> 4], axis=-1).reshape(len(weight.zeros), -1)
    zeros = zeros[:, : weight.scales.shape[1]]
    least = (-weight.scales * zeros).astype("<f2")[..., None].view(np.uint8)
    scales = weight.scales.astype("<f2")[..., None].view(np.uint8)
    values = np.stack([weight.values & 15, weight.values >> 4], axis=-1).reshape(*weight.values.shape[:2], BLOCK)
    halves = values[..., : BLOCK // 2] | values[..., BLOCK // 2 :] << 4
    return np.concatenate([scales, least, halves], axis=-1).reshape(len(values), -1)
