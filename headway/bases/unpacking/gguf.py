"""A GGUF file as a folder in the layout of Transformers: weights dequantised to float32, tokenizer converted.

The names and the metadata are those of the GGUF specification (ggml, docs/gguf.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.bases.unpacking.writing import write_model
from headway.errors import BaseModelError, MissingExtraError

if TYPE_CHECKING:
    from gguf import GGUFReader

# general.architecture -> Transformers' model_type and class
_ARCHITECTURES: Mapping[str, tuple[str, str]] = {
    "llama": ("llama", "LlamaForCausalLM"),
    "qwen2": ("qwen2", "Qwen2ForCausalLM"),
    "qwen3": ("qwen3", "Qwen3ForCausalLM"),
}
_TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_LAYER = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_NAME = re.compile(r"(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)")


def unpack_gguf(file: Path, folder: Path) -> None:
    """Write the decoder in a GGUF file into `folder`.

    Raises `BaseModelError` for a broken file, and for an architecture or tensors that are unknown here.
    """
    reader = read_gguf(file)
    facts = {name: field.contents() for name, field in reader.fields.items()}
    architecture = str(facts.get("general.architecture", ""))
    if architecture not in _ARCHITECTURES:
        known = ", ".join(_ARCHITECTURES)
        raise BaseModelError(
            f'the architecture "{architecture}" of this GGUF file is unknown here',
            where=str(file),
            expected=f"one of {known}",
            fix="name the model that it was made from, in the layout of Transformers",
        )
    try:
        config = write_config(facts, architecture, {tensor.name for tensor in reader.tensors})
        tensors = dict(_dequantise(reader, config, file))
    except KeyError as error:
        raise _broken(file, f"no {error.args[0]} in its metadata") from None
    write_model(folder, config, tensors)
    _write_tokenizer(file, folder)


def read_gguf(file: Path) -> GGUFReader:
    """Open a GGUF file; raises `BaseModelError` where it is none or cut short."""
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise MissingExtraError("deep", purpose="reading a GGUF file") from error
    try:
        reader = GGUFReader(file)
    except Exception as error:  # noqa: BLE001 - the library fails in many ways on broken files
        raise _broken(file, str(error)[:200]) from None
    end = max((tensor.data_offset + tensor.n_bytes for tensor in reader.tensors), default=0)
    size = file.stat().st_size
    if not reader.tensors or end > size:
        raise _broken(file, f"{size:,} bytes where it names {end:,}")
    return reader


def parameters_of(reader: GGUFReader) -> int:
    """Return how many numbers a GGUF file holds, whatever they are packed in."""
    return sum(int(tensor.n_elements) for tensor in reader.tensors)


def write_config(facts: Mapping[str, Any], architecture: str, names: set[str]) -> dict[str, Any]:
    """Return the configuration for Transformers; raises `KeyError` where the metadata lack something."""
    model_type, model_class = _ARCHITECTURES[architecture]

    def fact(name: str) -> Any:
        return facts[f"{architecture}.{name}"]

    heads, hidden = int(fact("attention.head_count")), int(fact("embedding_length"))
    rope: dict[str, Any] = {
        "rope_type": "default",
        "rope_theta": float(facts.get(f"{architecture}.rope.freq_base", 10000.0)),
    }
    return {
        "architectures": [model_class],
        "model_type": model_type,
        "vocab_size": len(facts["tokenizer.ggml.tokens"]),
        "hidden_size": hidden,
        "intermediate_size": int(fact("feed_forward_length")),
        "num_hidden_layers": int(fact("block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": int(facts.get(f"{architecture}.attention.head_count_kv", heads)),
        "head_dim": int(facts.get(f"{architecture}.attention.key_length", hidden // heads)),
        "max_position_embeddings": int(fact("context_length")),
        "rms_norm_eps": float(fact("attention.layer_norm_rms_epsilon")),
        "rope_parameters": rope,
        "tie_word_embeddings": "output.weight" not in names,
        "hidden_act": "silu",
        "bos_token_id": facts.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": facts.get("tokenizer.ggml.eos_token_id"),
        "pad_token_id": facts.get("tokenizer.ggml.padding_token_id", facts.get("tokenizer.ggml.eos_token_id")),
        "dtype": "float32",
    }


def _dequantise(reader: GGUFReader, config: Mapping[str, Any], file: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every tensor under its name in Transformers, as float32."""
    from gguf.quants import dequantize

    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for tensor in reader.tensors:
        parts = _NAME.fullmatch(tensor.name)
        layer, role, kind = parts.groups() if parts else (None, "", "")
        name = _LAYER.get(role) if layer is not None else _TOP.get(role)
        if name is None:
            raise BaseModelError(
                f'the tensor "{tensor.name}" of this GGUF file is unknown here',
                where=str(file),
                expected="the tensors of a plain llama or qwen",
                fix="name the model that it was made from, in the layout of Transformers",
            )
        values = np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        if config["model_type"] == "llama" and role in heads:
            values = order_rotary(values, heads[role])
        yield (f"model.layers.{layer}.{name}.{kind}" if layer is not None else f"{name}.{kind}"), values


def order_rotary(values: np.ndarray, heads: int) -> np.ndarray:
    """Return the rows of a query or key projection with the rotary halves of each head apart, not interleaved."""
    half = values.shape[0] // heads // 2
    return values.reshape(heads, half, 2, -1).swapaxes(1, 2).reshape(values.shape)


def _write_tokenizer(file: Path, folder: Path) -> None:
    """Convert the tokenizer in the file."""
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtraError("deep", purpose="reading a GGUF file") from error
    try:
        AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, local_files_only=True).save_pretrained(folder)
    except (ValueError, KeyError, NotImplementedError, OSError, TypeError) as error:
        raise _broken(file, f"its tokenizer cannot be converted: {error}"[:200]) from None


def _broken(file: Path, got: str) -> BaseModelError:
    return BaseModelError(
        "the GGUF file cannot be read",
        where=str(file),
        expected="a whole GGUF file of a decoder",
        got=got,
        fix="fetch or copy it again",
    )
