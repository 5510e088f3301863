"""A folder in timm's layout as one in that of Transformers: tensors get other names, and none another value.

The names are those that Transformers' own converters know (`convert_vit_timm_to_pytorch`, `convert_resnet_to_pytorch`,
`convert_convnext_to_pytorch`). timm itself is not needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headway.bases.unpacking.writing import write_json, write_model
from headway.errors import BaseModelError

Tensors = Mapping[str, np.ndarray]
_HEADS = {"tiny": 3, "small": 6, "base": 12, "large": 16, "huge": 16}
# What makes labels of features, and counters that play no part in answers.
_UNUSED = re.compile(r"(?:head|fc|head\.fc)\.(?:weight|bias)|.*\.num_batches_tracked")
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def is_timm(config: Mapping[str, Any]) -> bool:
    """Tell whether a folder's `config.json` is one of timm's."""
    told = isinstance(config.get("architecture"), str) and not {"pretrained_cfg", "num_features"}.isdisjoint(config)
    return told and "model_type" not in config


def describe_timm(config: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Return what is known of a timm model by its configuration: `model_type` and `image_size`.

    Raises `BaseModelError` for one that has no like in Transformers here.
    """
    return {"model_type": _family_of(config, where).model_type, "image_size": _picture(config)["size"]}


def unpack_timm(config: Mapping[str, Any], tensors: Tensors, folder: Path, *, where: str) -> None:
    """Write a timm model into `folder`; raises `BaseModelError` where a tensor of it is unknown or missing."""
    family = _family_of(config, where)
    kept = {name: tensor for name, tensor in tensors.items() if not _UNUSED.fullmatch(name)}
    renamed = {new: array for name, tensor in kept.items() for new, array in family.rename(name, tensor).items()}
    unknown = [name for name, tensor in kept.items() if not family.rename(name, tensor)]
    if unknown:
        raise _strange(config, where, f"{len(unknown)} tensors that are unknown: {', '.join(unknown[:3])}")
    try:
        facts = family.facts(str(config["architecture"]), kept)
    except (KeyError, IndexError) as error:
        raise _strange(config, where, f"no tensor {error.args[0]}") from None
    picture = _picture(config)
    write_model(folder, {"model_type": family.model_type, "image_size": picture["size"], **facts}, renamed)
    write_json(
        folder / "preprocessor_config.json",
        {"size": picture["size"], "do_normalize": True, "image_mean": picture["mean"], "image_std": picture["std"]},
    )


@dataclass(frozen=True)
class _Family:
    """Models that Transformers has too; `pooled`: the ways from places to one vector that it has for them."""

    pattern: re.Pattern[str]
    model_type: str
    pooled: tuple[str, ...]
    rename: Callable[[str, np.ndarray], dict[str, np.ndarray]]
    facts: Callable[[str, Tensors], dict[str, Any]]


def _rename_vit(name: str, tensor: np.ndarray) -> dict[str, np.ndarray]:
    top = {"cls_token": "embeddings.cls_token", "pos_embed": "embeddings.position_embeddings"}
    if name in top:
        return {top[name]: tensor}
    outer = re.fullmatch(r"(patch_embed\.proj|norm)\.(weight|bias)", name)
    if outer:
        place = "layernorm" if outer[1] == "norm" else "embeddings.patch_embeddings.projection"
        return {f"{place}.{outer[2]}": tensor}
    inner = re.fullmatch(r"blocks\.(\d+)\.(norm1|norm2|attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.(weight|bias)", name)
    if inner is None:
        return {}
    number, role, kind = inner.groups()
    layer = f"encoder.layer.{number}"
    if role == "attn.qkv":
        parts = zip(("query", "key", "value"), np.split(tensor, 3), strict=True)
        return {f"{layer}.attention.attention.{part}.{kind}": array for part, array in parts}
    places = {
        "norm1": "layernorm_before",
        "norm2": "layernorm_after",
        "attn.proj": "attention.output.dense",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
    }
    return {f"{layer}.{places[role]}.{kind}": tensor}


def _facts_vit(architecture: str, tensors: Tensors) -> dict[str, Any]:
    hidden, _, patch, _ = tensors["patch_embed.proj.weight"].shape
    side = round((tensors["pos_embed"].shape[1] - 1) ** 0.5)
    return {
        "hidden_size": hidden,
        "num_hidden_layers": _count(tensors, r"blocks\.(\d+)\."),
        "num_attention_heads": _HEADS[architecture.split("_")[1]],
        "intermediate_size": tensors["blocks.0.mlp.fc1.weight"].shape[0],
        "patch_size": patch,
        "image_size": side * patch,
        "layer_norm_eps": 1e-6,
    }


def _rename_resnet(name: str, tensor: np.ndarray) -> dict[str, np.ndarray]:
    kinds = r"(weight|bias|running_mean|running_var)"
    stem = re.fullmatch(rf"(conv|bn)1\.{kinds}", name)
    if stem:
        return {f"embedder.embedder.{_part(stem[1])}.{stem[2]}": tensor}
    inner = re.fullmatch(rf"layer(\d)\.(\d+)\.(?:(conv|bn)(\d)|downsample\.([01]))\.{kinds}", name)
    if inner is None:
        return {}
    stage, number, part, place, side, kind = inner.groups()
    layer = f"encoder.stages.{int(stage) - 1}.layers.{number}"
    if side is not None:
        return {f"{layer}.shortcut.{_part('conv' if side == '0' else 'bn')}.{kind}": tensor}
    return {f"{layer}.layer.{int(place) - 1}.{_part(part)}.{kind}": tensor}


def _part(part: str) -> str:
    return "convolution" if part == "conv" else "normalization"


def _facts_resnet(architecture: str, tensors: Tensors) -> dict[str, Any]:  # noqa: ARG001 - the tensors tell
    stages = range(1, 1 + _count(tensors, r"layer(\d)\.", first=1))
    is_bottleneck = "layer1.0.conv3.weight" in tensors
    last = "conv3" if is_bottleneck else "conv2"
    return {
        "embedding_size": tensors["conv1.weight"].shape[0],
        "hidden_sizes": [tensors[f"layer{stage}.0.{last}.weight"].shape[0] for stage in stages],
        "depths": [_count(tensors, rf"layer{stage}\.(\d+)\.") for stage in stages],
        "layer_type": "bottleneck" if is_bottleneck else "basic",
        "hidden_act": "relu",
    }


def _rename_convnext(name: str, tensor: np.ndarray) -> dict[str, np.ndarray]:
    outer = re.fullmatch(r"(stem\.0|stem\.1|head\.norm)\.(weight|bias)", name)
    if outer:
        place = {"stem.0": "embeddings.patch_embeddings", "stem.1": "embeddings.layernorm"}.get(outer[1], "layernorm")
        return {f"{place}.{outer[2]}": tensor}
    down = re.fullmatch(r"stages\.(\d)\.downsample\.([01])\.(weight|bias)", name)
    if down:
        return {f"encoder.stages.{down[1]}.downsampling_layer.{down[2]}.{down[3]}": tensor}
    scale = re.fullmatch(r"stages\.(\d)\.blocks\.(\d+)\.gamma", name)
    if scale:
        return {f"encoder.stages.{scale[1]}.layers.{scale[2]}.layer_scale_parameter": tensor}
    inner = re.fullmatch(r"stages\.(\d)\.blocks\.(\d+)\.(conv_dw|norm|mlp\.fc1|mlp\.fc2)\.(weight|bias)", name)
    # Small ones have convolutions in place of the two maps.
    if inner is None or (inner[3].startswith("mlp") and tensor.ndim > 2):
        return {}
    places = {"conv_dw": "dwconv", "norm": "layernorm", "mlp.fc1": "pwconv1", "mlp.fc2": "pwconv2"}
    return {f"encoder.stages.{inner[1]}.layers.{inner[2]}.{places[inner[3]]}.{inner[4]}": tensor}


def _facts_convnext(architecture: str, tensors: Tensors) -> dict[str, Any]:  # noqa: ARG001 - the tensors tell
    stages = range(_count(tensors, r"stages\.(\d)\."))
    return {
        "hidden_sizes": [tensors[f"stages.{stage}.blocks.0.conv_dw.weight"].shape[0] for stage in stages],
        "depths": [_count(tensors, rf"stages\.{stage}\.blocks\.(\d+)\.") for stage in stages],
        "num_stages": len(stages),
        "patch_size": tensors["stem.0.weight"].shape[-1],
        "layer_norm_eps": 1e-6,
    }


_FAMILIES = (
    _Family(re.compile(r"(vit|deit)_(tiny|small|base|large|huge)_patch\d+_\d+"), "vit", ("token",), _rename_vit,
            _facts_vit),
    _Family(re.compile(r"resnet(18|26|34|50|101|152)"), "resnet", ("avg",), _rename_resnet, _facts_resnet),
    _Family(re.compile(r"convnext_(tiny|small|base|large|xlarge)"), "convnext", ("avg",), _rename_convnext,
            _facts_convnext),
)  # fmt: skip


def _family_of(config: Mapping[str, Any], where: str) -> _Family:
    for family in _FAMILIES:
        if family.pattern.fullmatch(str(config["architecture"])):
            pooled = config.get("global_pool") or family.pooled[0]
            if pooled not in family.pooled or config.get("model_args"):
                raise _strange(config, where, f"global_pool {pooled}, model_args {config.get('model_args') or 'none'}")
            return family
    raise _strange(config, where, "an architecture without its like in Transformers here")


def _strange(config: Mapping[str, Any], where: str, got: str) -> BaseModelError:
    return BaseModelError(
        f"the timm model {config['architecture']} cannot be opened",
        where=where,
        expected="a plain ResNet, ViT, DeiT or ConvNeXt of timm, or a folder in the layout of Transformers",
        got=got,
        fix="take such a one, or the same model in the layout of Transformers",
    )


def _picture(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the size of images and how their pixels are scaled."""
    told = config.get("pretrained_cfg") or {}
    size = (told.get("input_size") or [3, 224, 224])[-1]
    return {"size": int(size), **{name: told.get(name) or usual for name, usual in _IMAGENET.items()}}


def _count(tensors: Tensors, pattern: str, *, first: int = 0) -> int:
    """Return how many numbers stand where the pattern has its group, from `first` on."""
    found = {int(match[1]) for name in tensors if (match := re.match(pattern, name))}
    return max(found, default=first - 1) + 1 - first
