"""The decoder of a package as a folder in the layout of Transformers: configuration, safetensors, tokenizer.

Transformers opens it, and whatever is built on that layout: PEFT, vLLM, other converters, `headway package base`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from headway.decoders.gpt2 import to_gpt2
from headway.decoders.packing import Packed, unpack
from headway.decoders.recovering import Weight, recover
from headway.decoders.stack import DecoderConfig, shapes
from headway.decoders.templating import end_of_turn, write_template
from headway.errors import ExportError, MissingExtraError
from headway.runtime.manifest import Generation

# Bytes of one file of weights; a larger model gets several and an index.
SHARD = 2 * 2**30
_WEIGHTS = "model.safetensors"
_ACTIVATIONS = {"gelu_tanh": "gelu_new", "gelu": "gelu"}


def transformers_files(
    onnx: bytes, tokenizer: bytes, facts: Generation, *, shard: int = SHARD
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the folder by name, the weights in float32, packed ones unpacked to what they stand for.

    The weights come in files of about `shard` bytes, one at a time, so that no more than one is in memory. Raises
    `PackageError` for a graph that `export_decoder` did not make, `ExportError` for a layout that Transformers does not
    have, and `MissingExtraError` without safetensors.
    """
    try:
        from safetensors.numpy import save
    except ImportError as error:
        raise MissingExtraError("deep", purpose="writing weights for Transformers") from error
    config, weights = recover(onnx)
    settings = _settings(config) | _tokens(facts, tokenizer)
    yield "config.json", _json(settings)
    yield "generation_config.json", _json({name: settings[name] for name in _tokens(facts, tokenizer)})
    yield "tokenizer.json", tokenizer
    yield "tokenizer_config.json", _json(_tokenizer_settings(facts, tokenizer))
    if facts.chat is not None:
        yield "chat_template.jinja", write_template(facts.chat).encode()
    places = _places(config)
    shards = _shards(places, config, shard)
    files = _file_names(len(shards))
    for file, names in zip(files, shards, strict=True):
        yield file, save({name: _array(weights, *places[name]) for name in names}, metadata={"format": "pt"})
    if len(shards) > 1:
        yield f"{_WEIGHTS}.index.json", _index(files, shards, config)


def layout_of(config: DecoderConfig) -> str:
    """Return what Transformers calls the layout: llama, qwen2 or gpt2; raises `ExportError` for any other."""
    kind = (config.norm, config.positions, config.biases)
    known = {("rms", "rotary", "none"): "llama", ("rms", "rotary", "qkv"): "qwen2", ("layer", "learned", "all"): "gpt2"}
    if kind not in known or (known[kind] == "gpt2") != (config.feed != "swiglu"):
        raise ExportError(
            "this decoder has a layout that Transformers does not know",
            expected="the layout of Llama, Qwen2 or GPT-2",
            got=f"{config.norm} norms, {config.positions} positions, {config.feed}, biases: {config.biases}",
        )
    return known[kind]


def _settings(config: DecoderConfig) -> dict[str, Any]:
    """Return the part of `config.json` that tells the sizes."""
    layout = layout_of(config)
    shared = {"model_type": layout, "vocab_size": config.vocabulary, "tie_word_embeddings": config.tied,
              "dtype": "float32"}  # fmt: skip
    if layout == "gpt2":
        return {
            "architectures": ["GPT2LMHeadModel"], **shared, "n_embd": config.width, "n_inner": config.hidden,
            "n_layer": config.layers, "n_head": config.heads, "n_positions": config.window,
            "layer_norm_epsilon": config.norm_epsilon, "activation_function": _ACTIVATIONS[config.feed],
        }  # fmt: skip
    return {
        "architectures": ["LlamaForCausalLM" if layout == "llama" else "Qwen2ForCausalLM"],
        **shared,
        "hidden_size": config.width,
        "intermediate_size": config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.key_value_heads,
        "head_dim": config.head_width,
        "max_position_embeddings": config.window,
        "rms_norm_eps": config.norm_epsilon,
        "rope_theta": config.rope_theta,  # older versions read it here
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "hidden_act": "silu",
        **({"attention_bias": False, "mlp_bias": False} if layout == "llama" else {"use_sliding_window": False}),
    }


def _tokens(facts: Generation, tokenizer: bytes) -> dict[str, Any]:
    """Return the ids that begin, end and fill up texts."""
    end = end_of_turn(facts, _texts(tokenizer)) if facts.end_ids else None
    others = [each for each in facts.end_ids if each != end]
    return {"bos_token_id": facts.begin_id, "eos_token_id": [end, *others] if others else end, "pad_token_id": end}


def _tokenizer_settings(facts: Generation, tokenizer: bytes) -> dict[str, Any]:
    """Return `tokenizer_config.json`."""
    texts = _texts(tokenizer)
    end = texts[end_of_turn(facts, texts)] if facts.end_ids else None
    named = {"bos_token": None if facts.begin_id is None else texts[facts.begin_id], "eos_token": end, "pad_token": end}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": facts.window,
        "clean_up_tokenization_spaces": False, **{role: text for role, text in named.items() if text is not None},
    }  # fmt: skip


def _texts(tokenizer: bytes) -> list[str]:
    """Return the text of each token as the tokenizer writes it."""
    from headway.runtime.generation.prompts import open_writer

    opened = open_writer(tokenizer)
    return [opened.id_to_token(place) or "" for place in range(opened.get_vocab_size())]


def _places(config: DecoderConfig) -> dict[str, tuple[tuple[str, ...], bool]]:
    """Return the weights of Transformers by name: which of ours stand in each, and whether turned."""
    if layout_of(config) != "gpt2":
        return {name: ((name,), False) for name in shapes(config)}
    return {theirs: (ours, is_turned) for theirs, ours, is_turned in map(to_gpt2, shapes(config))}


def _array(weights: Mapping[str, Weight], names: Sequence[str], is_turned: bool) -> np.ndarray:
    parts = [unpack(weight) if isinstance(weight, Packed) else weight for weight in map(weights.__getitem__, names)]
    whole = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return np.ascontiguousarray(whole.T if is_turned else whole, np.float32)


def _shards(places: Mapping[str, tuple[tuple[str, ...], bool]], config: DecoderConfig, most: int) -> list[list[str]]:
    """Return the names of the weights in files of about `most` bytes, one weight at least in each."""
    known, found, size = shapes(config), list[list[str]](), most
    for name, (ours, _) in places.items():
        own = 4 * sum(int(np.prod(known[each])) for each in ours)
        if size + own > most:
            found.append([])
            size = 0
        found[-1].append(name)
        size += own
    return found


def _file_names(count: int) -> list[str]:
    """Return the names of the files of weights, as Transformers counts them."""
    if count == 1:
        return [_WEIGHTS]
    return [f"model-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]


def _index(files: Sequence[str], shards: Sequence[Sequence[str]], config: DecoderConfig) -> bytes:
    size = 4 * sum(int(np.prod(shape)) for shape in shapes(config).values())
    weights = {name: file for file, names in zip(files, shards, strict=True) for name in names}
    return _json({"metadata": {"total_size": size}, "weight_map": weights})


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
