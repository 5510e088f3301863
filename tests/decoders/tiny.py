"""A tiny random Llama, Qwen2 or GPT-2, made when a test needs one."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from headway.decoders.stack import EMBEDDING, HEAD, NORM, NORM_BIAS, POSITIONS, DecoderConfig, shapes

CONFIG = DecoderConfig(
    vocabulary=131, width=96, layers=3, heads=6, key_value_heads=2, hidden=80, window=96, rope_theta=1000.0
)
# As GPT-2 is, but for its size.
GPT2 = replace(CONFIG, key_value_heads=6, norm="layer", positions="learned", feed="gelu_tanh", biases="all")
QWEN2 = replace(CONFIG, biases="qkv")


def weights_of(config: DecoderConfig = CONFIG, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return random weights whose logits differ well."""
    generator = np.random.default_rng(seed)

    def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name.endswith(".bias"):
            return (0.1 * generator.standard_normal(shape)).astype(np.float32)
        if len(shape) == 1:
            return (1 + 0.1 * generator.standard_normal(shape)).astype(np.float32)
        scale = 0.5 if name in {EMBEDDING, HEAD} else 1.4 / np.sqrt(shape[1])
        return (scale * generator.standard_normal(shape)).astype(np.float32)

    return {name: draw(name, shape) for name, shape in shapes(config).items()}


def bits_of(name: str, precision: str) -> int:
    """Return in how many bits a decoder of three layers and few bits has the matrix `name`."""
    if name in {EMBEDDING, HEAD} or precision == "int8":
        return 8
    is_wide = ".gate_proj." in name or ".up_proj." in name
    return 4 if precision == "int4" or (is_wide and ".layers.1." in name) else 8


def settings_of(config: DecoderConfig = CONFIG) -> dict[str, object]:
    """Return the `config.json` of a tiny decoder."""
    if config.positions == "learned":
        return gpt2_settings(config)
    return {
        "architectures": ["LlamaForCausalLM" if config.biases == "none" else "Qwen2ForCausalLM"],
        "model_type": "llama" if config.biases == "none" else "qwen2",
        "vocab_size": config.vocabulary,
        "hidden_size": config.width,
        "intermediate_size": config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.key_value_heads,
        "max_position_embeddings": config.window,
        "rms_norm_eps": config.norm_epsilon,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "tie_word_embeddings": config.tied,
        "hidden_act": "silu",
        "use_sliding_window": False,
    }


def gpt2_settings(config: DecoderConfig) -> dict[str, object]:
    """Return the `config.json` of a tiny GPT-2."""
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": config.vocabulary,
        "n_embd": config.width,
        "n_inner": config.hidden,
        "n_layer": config.layers,
        "n_head": config.heads,
        "n_positions": config.window,
        "layer_norm_epsilon": config.norm_epsilon,
        "activation_function": "gelu_new" if config.feed == "gelu_tanh" else "gelu",
        "tie_word_embeddings": config.tied,
        "bos_token_id": None,
        "eos_token_id": None,
    }


def teacher(config: DecoderConfig, weights: dict[str, np.ndarray]):
    """Return the same decoder as Transformers has it."""
    import torch
    import transformers

    names = {"learned": "GPT2", "rotary": "Llama" if config.biases == "none" else "Qwen2"}[config.positions]
    settings = {name: value for name, value in settings_of(config).items() if name != "model_type"}
    made = getattr(transformers, f"{names}Config")(**settings, attn_implementation="eager")
    network = getattr(transformers, f"{names}ForCausalLM" if names != "GPT2" else "GPT2LMHeadModel")(made)
    kept = {name: torch.from_numpy(array) for name, array in stored(config, weights).items()}
    told = network.load_state_dict(kept, strict=False)
    assert set(told.missing_keys) <= {HEAD}
    assert not told.unexpected_keys
    return network.eval()


def stored(config: DecoderConfig, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return weights under the names and in the shapes in which Transformers keeps them."""
    if config.positions != "learned":
        return weights
    outside = {EMBEDDING: "wte.weight", POSITIONS: "wpe.weight", NORM: "ln_f.weight", NORM_BIAS: "ln_f.bias"}
    found = {f"transformer.{name}": weights[own] for own, name in outside.items()}
    found |= {HEAD: weights[HEAD]} if not config.tied else {}
    inside = {"input_layernorm": "ln_1", "post_attention_layernorm": "ln_2", "self_attn.o_proj": "attn.c_proj",
              "mlp.up_proj": "mlp.c_fc", "mlp.down_proj": "mlp.c_proj"}  # fmt: skip
    for number in range(config.layers):
        at = f"transformer.h.{number}."
        for kind in ("weight", "bias"):
            heads = [weights[f"model.layers.{number}.self_attn.{part}_proj.{kind}"] for part in "qkv"]
            found[f"{at}attn.c_attn.{kind}"] = np.ascontiguousarray(np.concatenate(heads).T)
            for own, name in inside.items():
                array = weights[f"model.layers.{number}.{own}.{kind}"]
                found[f"{at}{name}.{kind}"] = np.ascontiguousarray(array.T)
    return found


def teacher_logits(network, ids: list[int]) -> np.ndarray:
    """Return float32 `[length, vocabulary]`."""
    import torch

    with torch.inference_mode():
        return network(torch.tensor([ids])).logits[0].numpy()


def write_folder(folder: Path, config: DecoderConfig = CONFIG, *, seed: int = 0) -> Path:
    """Write the folder of a tiny decoder without its tokenizer."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(stored(config, weights_of(config, seed=seed)), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(settings_of(config)), encoding="utf-8")
    return folder
