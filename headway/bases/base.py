"""A base model that lies ready on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BaseKind = Literal["text_encoder", "image_encoder", "decoder"]


@dataclass(frozen=True)
class Base:
    """A pretrained model in the layout of Transformers: `config.json`, safetensors, and `tokenizer.json` for texts.

    `name`: as a user writes it in `base:`. `architecture`: the `model_type` of its configuration. `parameters`: how
    many numbers it has; `size_mb`: its weights in float32. `languages`: ISO 639-1 codes, "multi" for many. `pooling`,
    `prefix` and `max_length` (tokens) say how a text encoder wants to be read: `prefix` stands before every text.
    `digest` names its content: equal digests give equal features. `source`: where it was found, in words.
    """

    name: str
    folder: Path
    kind: BaseKind
    architecture: str
    parameters: int
    size_mb: float
    languages: tuple[str, ...]
    licence: str
    digest: str
    source: str
    pooling: Literal["mean", "cls"] = "mean"
    prefix: str = ""
    max_length: int = 256
