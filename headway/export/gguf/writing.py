"""A decoder as a GGUF file (ggml, docs/gguf.md), with its weights in the same bits."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.decoders.packing import BLOCK, Packed, unpack
from headway.decoders.recovering import Weight, recover, rows_of
from headway.decoders.stack import EMBEDDING, HEAD, NORM, DecoderConfig, layer_name
from headway.decoders.templating import end_of_turn, write_template
from headway.errors import ExportError, MissingExtraError
from headway.export.content import Content, Options
from headway.export.gguf.notes import write_note
from headway.export.packed import Packed as Package
from headway.runtime.archive import MODEL
from headway.runtime.manifest import Generation

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
# Kinds of tokens in GGUF.
_NORMAL, _CONTROL = 1, 3


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
        _write_tokenizer(writer, tokenizer, facts, config.vocabulary)
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


def _write_tokenizer(writer: GGUFWriter, tokenizer: Any, facts: Generation, vocabulary: int) -> None:
    """Write a byte-level BPE tokenizer; raises `ExportError` for any other."""
    model = tokenizer["model"]
    before = _pre_tokenizer(tokenizer.get("pre_tokenizer"))
    if model.get("type") != "BPE" or before is None:
        raise ExportError(
            "llama.cpp does not know this tokenizer", expected="byte-level BPE that splits as GPT-2's or SmolLM's does",
            got=f"{model.get('type')} behind {json.dumps(tokenizer.get('pre_tokenizer'))}"[:300],
            fix="export it --to transformers, or serve the package with headway",
        )  # fmt: skip
    tokens, kinds = [f"[unused{place}]" for place in range(vocabulary)], [_NORMAL] * vocabulary
    for token, place in model["vocab"].items():
        tokens[place] = token
    for added in tokenizer.get("added_tokens", []):
        tokens[added["id"]] = added["content"]
        kinds[added["id"]] = _CONTROL if added["special"] else _NORMAL
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(before)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    if facts.end_ids:
        writer.add_eos_token_id(end_of_turn(facts, tokens))
    if facts.begin_id is not None:
        writer.add_bos_token_id(facts.begin_id)
    writer.add_add_bos_token(facts.begin_id is not None)
    writer.add_add_space_prefix(value=False)
    if facts.chat is not None:
        writer.add_chat_template(write_template(facts.chat))


def _pre_tokenizer(split: Any) -> str | None:
    """Return llama.cpp's name for the way a text is split before BPE, None for one that it does not know."""
    parts = split["pretokenizers"] if (split or {}).get("type") == "Sequence" else [split or {}]
    kinds = [part.get("type") for part in parts]
    if kinds[-1] != "ByteLevel" or parts[-1].get("add_prefix_space") or not parts[-1].get("use_regex", True):
        return None
    if kinds == ["ByteLevel"]:
        return "gpt-2"
    return "smollm" if kinds == ["Digits", "ByteLevel"] and parts[0].get("individual_digits") else None


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
