"""A folder in the layout of Transformers or sentence-transformers, described."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.bases.architectures import OWN, kind_of
from headway.bases.base import Base, Picture
from headway.bases.memory import float32_mb
from headway.bases.sentence import WINDOW, Sentence, read_json, read_sentence, read_window
from headway.bases.unpacking.timm import describe_timm, is_timm
from headway.bases.weights import Weights, find_weights
from headway.errors import BaseModelError

CONFIG = "config.json"
_MB = 1024**2
_MANY_LANGUAGES = 8  # a card that lists more is for many languages
_IMAGENET = Picture(224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def describe_folder(folder: Path, *, name: str, source: str) -> Base:
    """Describe the base model in `folder` without loading it; `digest`, `pad_id` and `notes` are not settled yet.

    Raises `BaseModelError` where the folder is no base model, half of one, or of an architecture that is not opened.
    """
    config = read_config(folder)
    if is_timm(config):
        config = describe_timm(config, where=str(folder / CONFIG))
    architecture = str(config.get("model_type", ""))
    kind = kind_of(architecture, where=str(folder / CONFIG))
    _refuse_strange(config, folder, architecture)
    weights = find_weights(folder)
    languages, licence = _read_card(folder / "README.md")
    sentence = Sentence(max_length=read_window(config) or WINDOW) if kind == "decoder" else Sentence()
    if kind == "text_encoder":
        sentence = _read_texts(folder, config, name)
    return Base(
        name=name,
        folder=folder,
        kind=kind,
        architecture=architecture,
        parameters=weights.parameters,
        size_mb=size_of(weights, config),
        languages=languages,
        licence=licence,
        digest="",
        source=source,
        pooling=sentence.pooling,
        prefix=sentence.prefix,
        max_length=sentence.max_length,
        pad_id=config["pad_token_id"] if isinstance(config.get("pad_token_id"), int) else 0,
        embedding_parameters=weights.embedding,
        is_sentence=sentence.is_sentence,
        picture=_read_picture(folder, config) if kind == "image_encoder" else None,
    )


def size_of(weights: Weights, config: Mapping[str, Any]) -> float:
    """Return the size in MB of weights in float32; pickled ones are not looked into: `config` says what they are in."""
    if not weights.is_pickled:
        return float32_mb(weights.parameters)
    is_half = str(config.get("dtype", config.get("torch_dtype"))) in {"float16", "bfloat16"}
    return (2 if is_half else 1) * sum(file.stat().st_size for file in weights.files) / _MB


def read_config(folder: Path) -> dict[str, Any]:
    """Return a folder's `config.json`; raises `BaseModelError` where there is none."""
    if not folder.is_dir():
        raise BaseModelError("no such folder", where=str(folder), expected="a folder with config.json and safetensors")
    config = read_json(folder / CONFIG)
    if config:
        return config
    if (folder / "adapter_config.json").is_file():
        raise BaseModelError(
            "this is an adapter, not a base model", where=str(folder), fix="merge it into its base and name that folder"
        )
    beside = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "an empty folder"
    raise BaseModelError(
        "this is no base model",
        where=str(folder),
        expected=f"a folder with {CONFIG} and safetensors, as Transformers or sentence-transformers save it",
        got=beside,
    )


def _refuse_strange(config: Mapping[str, Any], folder: Path, architecture: str) -> None:
    """Raise for models that would run code of their own, and for weights that are packed."""
    if "auto_map" in config and _looks_remote(config["auto_map"]) and architecture not in OWN:
        names = [str(name) for name in config.get("architectures") or ()]
        raise BaseModelError(
            "this model brings code of its own, which is never run here",
            where=str(folder / CONFIG),
            expected="an architecture that Transformers itself carries",
            got=", ".join(names) or architecture,
            fix="take another base: headway bases lists those that open",
        )
    if config.get("quantization_config"):
        raise BaseModelError(
            "the weights are packed in few bits and cannot be trained on",
            where=str(folder / CONFIG),
            expected="weights in float32, float16 or bfloat16",
            got=str(dict(config["quantization_config"]).get("quant_method", "quantization_config")),
            fix="take the model that this one was made from",
        )


def _looks_remote(auto_map: Any) -> bool:
    """Tell whether Transformers' own classes are replaced for the model itself, not only for a head."""
    return isinstance(auto_map, Mapping) and bool({"AutoModel", "AutoConfig"} & set(auto_map))


def _read_texts(folder: Path, config: Mapping[str, Any], name: str) -> Sentence:
    # A folder says what it was made from; the name it got here may say nothing.
    return read_sentence(folder, config, name=f"{name}/{config.get('_name_or_path', '')}/{folder.name}")


def _read_card(card: Path) -> tuple[tuple[str, ...], str]:
    """Return the languages and the licence that the head of a model card names; ((), "unknown") without one."""
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    head = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
    if head is None:
        return (), "unknown"
    facts = _read_yaml(head[1])
    named = facts.get("language", ())
    languages = tuple(str(code).lower() for code in ([named] if isinstance(named, str) else named or ()))
    if len(languages) > _MANY_LANGUAGES or {"multilingual", "multi"} & set(languages):
        languages = ("multi",)
    licence = facts.get("license_name") if facts.get("license") == "other" else facts.get("license")
    return languages, str(licence or "unknown").lower()


def _read_yaml(text: str) -> Mapping[str, Any]:
    """Return the mapping in some YAML; empty where it is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return {}
    # YAML 1.1 readers take `no` (Norwegian) for false; that one code is lost, not the card.
    return content if isinstance(content, Mapping) else {}


def _read_picture(folder: Path, config: Mapping[str, Any]) -> Picture:
    """Return how the encoder wants its pixels, ImageNet's usual values where the folder does not say."""
    settings = read_json(folder / "preprocessor_config.json")
    size: Any = settings.get("crop_size") or settings.get("size") or config.get("image_size") or _IMAGENET.size
    if isinstance(size, Mapping):
        size = size.get("height") or size.get("shortest_edge") or _IMAGENET.size
    mean, std = settings.get("image_mean") or _IMAGENET.mean, settings.get("image_std") or _IMAGENET.std
    if settings.get("do_normalize") is False:
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return Picture(int(size), _three(mean), _three(std))


def _three(values: Any) -> tuple[float, float, float]:
    numbers = [float(value) for value in values] if isinstance(values, list | tuple) else [float(values)]
    red, green, blue = numbers if len(numbers) == 3 else numbers[:1] * 3
    return red, green, blue
