"""A tiny package that draws: the brightness of a picture says its label, and its first row the noise."""

from dataclasses import replace

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from headway.package.writing import write_image_generator
from headway.runtime.archive import MODEL
from headway.runtime.image_generation import assemble_image_generator
from headway.runtime.manifest import ImageGeneration, Manifest

LABELS = ("cat", "dog", 3)
FACTS = ImageGeneration(width=5, height=6, mode="L", noise=4, shares=(0.5, 0.3, 0.2))
PAINTER = Manifest(
    "painter", "generate", "image", (), (), labels=LABELS, image_generation=FACTS, winner="gan",
    metrics={"frechet_distance": 1.5},
)  # fmt: skip
OF_ONE_KIND = replace(PAINTER, labels=(), image_generation=replace(FACTS, shares=()))


def painter_graph(*, labelled=True):
    """Return a graph that draws label * 60 + 20 everywhere, and the bits of the first noise in the first row."""
    noise = spox.argument(spox.Tensor(np.float32, ("pictures", 4)))
    label = spox.argument(spox.Tensor(np.int64, ("pictures",)))
    inputs = {"noise": noise, **({"label": label} if labelled else {})}
    bright = op.add(op.mul(op.cast(label, to=np.float32), number(60.0)), number(20.0)) if labelled else number(20.0)
    column = op.reshape(bright, op.const(np.array([-1, 1, 1, 1]))) if labelled else bright
    first = op.slice(noise, op.const(np.array([0])), op.const(np.array([1])), op.const(np.array([1])))
    row = op.reshape(op.add(op.mul(first, number(25.0)), number(128.0)), op.const(np.array([-1, 1, 1, 1])))
    top = op.const(np.concatenate([np.ones((1, 1, 5, 1)), np.zeros((1, 5, 5, 1))], axis=1).astype(np.float32))
    mixed = op.add(op.mul(row, top), op.mul(column, op.sub(number(1.0), top)))
    pixels = op.cast(op.clip(mixed, number(0.0), number(255.0)), to=np.uint8)
    return spox.build(inputs, {"pixels": pixels}).SerializeToString()


def number(value):
    return op.const(np.array(value, dtype=np.float32))


def open_painter(manifest=PAINTER):
    return assemble_image_generator(manifest, {MODEL: painter_graph(labelled=bool(manifest.labels))})


def write_painter(folder, manifest=PAINTER):
    return write_image_generator(folder, painter_graph(labelled=bool(manifest.labels)), manifest, card="# card\n")
