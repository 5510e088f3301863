"""A base model that lies ready on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BaseKind = Literal["text_encoder", "image_encoder", "decoder"]


@dataclass(frozen=True)
class Picture:
    """How an image encoder wants its pixels: RGB of `size` x `size`, as (value / 255 - mean) / std for each channel."""

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class Base:
    """A pretrained model in the layout of Transformers: `config.json`, safetensors, and `tokenizer.json` for texts.

    `name`: as a user writes it in `base:`. `architecture`: the `model_type` of its configuration. `parameters`: how
    many numbers it has, `embedding_parameters` of them in the table of its tokens; `size_mb`: its weights in float32.
    `languages`: ISO 639-1 codes, "multi" for many, empty where unknown. `pooling`, `prefix` and `max_length` (tokens)
    say how a text encoder wants to be read: `prefix` stands before every text; `pad_id` fills a batch; `is_sentence`:
    it was trained to make vectors of whole texts. `picture` is the same for an image encoder, else None. `digest`
    names its content: equal digests give equal features; empty where it was only looked at, not opened. `source`:
    where it was found, in words. `notes`: what had to be settled to use it, as sentences.
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
    pad_id: int = 0
    embedding_parameters: int = 0
    is_sentence: bool = False
    picture: Picture | None = None
    notes: tuple[str, ...] = ()
