"""A tiny random Llama, made when a test needs one."""

import json
from pathlib import Path

import numpy as np

from headway.decoders.stack import EMBEDDING, HEAD, DecoderConfig, shapes

CONFIG = DecoderConfig(
    vocabulary=131, width=96, layers=3, heads=6, key_value_heads=2, hidden=80, window=96, rope_theta=1000.0
)


def weights_of(config: DecoderConfig = CONFIG, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return random weights whose logits differ well."""
    generator = np.random.default_rng(seed)

    def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) == 1:
            return (1 + 0.1 * generator.standard_normal(shape)).astype(np.float32)
        scale = 0.5 if name in {EMBEDDING, HEAD} else 1.4 / np.sqrt(shape[1])
        return (scale * generator.standard_normal(shape)).astype(np.float32)

    return {name: draw(name, shape) for name, shape in shapes(config).items()}


def settings_of(config: DecoderConfig = CONFIG) -> dict[str, object]:
    """Return the `config.json` of a tiny Llama."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
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
    }


def teacher(config: DecoderConfig, weights: dict[str, np.ndarray]):
    """Return the same decoder as Transformers has it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    network = LlamaForCausalLM(LlamaConfig(**settings_of(config), attn_implementation="eager"))
    told = network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()}, strict=False)
    assert set(told.missing_keys) <= {HEAD}
    assert not told.unexpected_keys
    return network.eval()


def teacher_logits(network, ids: list[int]) -> np.ndarray:
    """Return float32 `[length, vocabulary]`."""
    import torch

    with torch.inference_mode():
        return network(torch.tensor([ids])).logits[0].numpy()


def write_folder(folder: Path, config: DecoderConfig = CONFIG, *, seed: int = 0) -> Path:
    """Write the folder of a tiny Llama without its tokenizer."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights_of(config, seed=seed), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(settings_of(config)), encoding="utf-8")
    return folder
