"""Tiny random image encoders in the layout of Transformers, and one of Headway's own."""

from pathlib import Path

import transformers

from headway.bases.base import Base
from headway.bases.opening import open_base

KINDS = ("vit", "resnet", "convnext")


def tiny_image_base(folder: Path, kind: str = "resnet") -> Base:
    """Write a random encoder of 32 x 32 pixels into `folder` and open it."""
    import torch

    torch.manual_seed(0)
    made(kind).save_pretrained(folder)
    return open_base(str(folder))


def made(kind: str):
    if kind == "vit":
        sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
        return transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=16, **sizes))
    if kind == "convnext":
        config = transformers.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, image_size=32)
        return transformers.ConvNextModel(config)
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[16, 24], depths=[1, 1], image_size=32)
    return transformers.ResNetModel(config)
