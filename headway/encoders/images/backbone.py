"""A pretrained image encoder as ONNX: prepared pixels in, one vector an image out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import spox.opset.ai.onnx.v21 as op
from spox import Tensor, Var, argument

from headway.bases.base import Base, Picture
from headway.bases.loading import load_image_encoder
from headway.compute.drafts import whole_file
from headway.errors import TrainingError
from headway.modalities.image.framing import Frame
from headway.modalities.image.pixels import Standard, image_argument, standardised
from headway.networks.nodes import integers, model_bytes
from headway.package.constants import Constants

if TYPE_CHECKING:
    from torch import nn

PIXELS, FEATURES = "pixels", "features"
# Convolutions alone read images of any size: small ones need not be blown up to the size of the pretraining.
ANY_SIZE = frozenset({"efficientnet_lite"})
SMALL_SIZE = 128
_OPSET = 21
# How Transformers' encoders are read; another way needs another name, or features kept earlier would be taken for it.
_READ = "-places"


@dataclass(frozen=True)
class Backbone:
    """An encoder whose weights stay as they are: `onnx` turns float32 `[rows, 3, size, size]` into `[rows, width]`.

    The pixels are prepared as `picture` says. `digest` names what decides the features: the weights and the size.
    """

    onnx: bytes
    width: int
    picture: Picture
    digest: str

    @property
    def frame(self) -> Frame:
        """Return how images are read for it."""
        return Frame(self.picture.size, self.picture.size, "RGB")


def size_for(base: Base, given: Frame) -> int:
    """Return the size in pixels to read images at that are as large as `given`; for icons and digits a smaller one."""
    picture = picture_of(base)
    if base.architecture in ANY_SIZE and max(given.width, given.height) <= SMALL_SIZE // 2:
        return min(SMALL_SIZE, picture.size)
    return picture.size


def open_backbone(base: Base | None, *, size: int | None = None, store: Path | None = None) -> Backbone:
    """Return the frozen encoder of a base for images of `size` pixels (its own size if None).

    What takes long to translate is kept under `store`. Raises `TrainingError` where there is no base, and
    `BaseModelError` where its weights cannot be loaded.
    """
    picture = picture_of(base)
    assert base is not None
    return _opened(base, size or picture.size, store)


def picture_of(base: Base | None) -> Picture:
    """Return how a base wants its pixels; raises `TrainingError` where there is no image base."""
    if base is None or base.picture is None:
        raise TrainingError(
            "there is no base model for images",
            expected="an image encoder",
            got="none" if base is None else f"{base.name}, a {base.kind.replace('_', ' ')}",
            fix="name one in the project (`base:`); headway bases lists those that are usable here",
        )
    return base.picture


@lru_cache(maxsize=2)
def _opened(base: Base, size: int, store: Path | None) -> Backbone:
    assert base.picture is not None
    picture = Picture(size, base.picture.mean, base.picture.std)
    digest = f"{base.digest}-{size}" + ("" if base.architecture in ANY_SIZE else _READ)
    path = None if store is None or not base.digest else store / "graphs" / f"{digest}.onnx"
    if path is not None and path.is_file():
        content = path.read_bytes()
    else:
        content = translated(load_image_encoder(base), size, name=base.name)
        if path is not None and base.architecture not in ANY_SIZE:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as draft:
                draft.write_bytes(content)
    return Backbone(content, _width(content), picture, digest)


def translated(encoder: nn.Module, size: int, *, name: str) -> bytes:
    """Return an encoder in evaluation mode as ONNX; raises `TrainingError` for one that PyTorch cannot translate."""
    from headway.bases.efficientnet import EfficientNetLite
    from headway.encoders.images.efficientnet import efficientnet_nodes

    if isinstance(encoder, EfficientNetLite):
        pixels = argument(Tensor(np.float32, ("rows", 3, size, size)))
        return model_bytes({PIXELS: pixels}, {FEATURES: efficientnet_nodes(encoder, pixels)})
    return _traced(encoder, size, name)


def _traced(encoder: nn.Module, size: int, name: str) -> bytes:
    import torch

    rows = torch.export.Dim("rows", min=1, max=1 << 20)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter, about its own workings
            program = torch.onnx.export(
                encoder.eval(),
                (torch.zeros(2, 3, size, size),),
                dynamo=True,
                verbose=False,
                input_names=[PIXELS],
                output_names=[FEATURES],
                dynamic_shapes=({0: rows},),
                opset_version=_OPSET,
            )
    except Exception as error:
        raise TrainingError(
            f"the base {name} cannot be packed",
            expected="an image encoder that torch.onnx can translate",
            got=f"{type(error).__name__}: {error}".split("\n")[0][:300],
            fix="take another base: efficientnet-lite0, ViT, ResNet and ConvNeXt are known to work",
        ) from error
    assert program is not None
    content: bytes = program.model_proto.SerializeToString()
    return content


def _width(content: bytes) -> int:
    import onnx

    shape = onnx.load_from_string(content).graph.output[0].type.tensor_type.shape
    return int(shape.dim[-1].dim_value)


def image_inputs(columns: tuple[str, ...], frame: Frame) -> dict[str, Var]:
    """Return one graph input per image column, by its feed's name."""
    return {frame.feed(column).name: image_argument(frame) for column in columns}


def feature_nodes(
    onnx: bytes, inputs: Mapping[str, Var], constants: Constants, *, picture: Picture, width: int, mirrored: bool
) -> Var:
    """Return float32 `[rows, columns * width]`: the encoder's features of each image column, side by side.

    `mirrored`: each the mean of those of the image and of its mirror image. All are read in one pass.
    """
    views = [view for pixels in inputs.values() for view in ((pixels, _mirror(pixels)) if mirrored else (pixels,))]
    pixels = views[0] if len(views) == 1 else op.concat(views, axis=0)
    (features,) = constants.inline(onnx, {PIXELS: standardised(pixels, standard_of(picture))}).values()
    if len(views) == 1:
        return features
    sides = 2 if mirrored else 1
    apart = op.reshape(features, integers([len(inputs), sides, -1, width]))
    means = op.reduce_mean(apart, integers([1]), keepdims=0)
    return op.reshape(op.transpose(means, perm=[1, 0, 2]), integers([-1, len(inputs) * width]))


def standard_of(picture: Picture) -> Standard:
    """Return what a base wants on the scale 0 to 255."""
    scaled = [tuple(255 * value for value in part) for part in (picture.mean, picture.std)]
    return Standard(scaled[0], scaled[1])


def _mirror(pixels: Var) -> Var:
    """Return `[rows, height, width, channels]` with left and right exchanged."""
    return op.slice(pixels, integers([-1]), integers([np.iinfo(np.int64).min]), integers([2]), integers([-1]))
