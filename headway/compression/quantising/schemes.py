"""The ways in which the weights of a graph can take fewer bits, and which of them fit a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from headway.compression.quantising.contents import Contents, lifted
from headway.compression.quantising.convolutions import with_static_convolutions
from headway.compression.quantising.four_bits import with_four_bit_products
from headway.compression.quantising.halves import halved
from headway.compression.quantising.tables import with_narrow_tables
from headway.encoders.quantising import quantised
from headway.package.graph import Graph
from headway.runtime.feeds import Cells, encode

Products = Literal["float", "dynamic", "static", "four"]
# Less than this (MB) of something is not worth a scheme of its own.
_WORTH = 0.05
# Seconds a megabyte of weights takes to be quantised, both models together.
PACE = 0.05


@dataclass(frozen=True)
class Scheme:
    """What becomes of the weights; all that stays float32 is stored in 16 bits.

    `products`: left, int8 with steps of activations taken from each row or fixed by calibration rows, or int4.
    `tables`: as int8 rows. `convolutions`: int8, steps fixed by calibration rows.
    """

    name: str
    products: Products = "float"
    tables: bool = False
    convolutions: bool = False


HALF = Scheme("half")
TABLES = Scheme("int8 tables", tables=True)
DYNAMIC = Scheme("int8", products="dynamic", tables=True)
STATIC = Scheme("int8 static", products="static", tables=True)
FOUR = Scheme("int4", products="four", tables=True)
CONVOLUTIONS = Scheme("int8 static", convolutions=True)


def schemes_for(contents: Contents) -> tuple[Scheme, ...]:
    """Return the schemes that fit what a graph holds, the most promising first; none where nothing is large."""
    found: list[Scheme] = []
    if contents.convolutions > _WORTH:
        found.append(CONVOLUTIONS)
    elif contents.products > _WORTH:
        found += [DYNAMIC, STATIC, FOUR]
    elif contents.tables > _WORTH:
        found.append(TABLES)
    return (*found, HALF) if contents.total > _WORTH else ()


def shrunk(graph: Graph, scheme: Scheme, sample: Mapping[str, np.ndarray]) -> Graph:
    """Return a graph under a scheme; `sample` are its inputs for real rows (see `inputs_of`)."""
    model = lifted(graph.onnx)
    if scheme.tables:
        model = with_narrow_tables(model)
    if scheme.products in {"dynamic", "static"}:
        model = quantised(model, sample, activations="static" if scheme.products == "static" else "dynamic")
    elif scheme.products == "four":
        model = with_four_bit_products(model)
    if scheme.convolutions:
        model = with_static_convolutions(model, sample)
    return replace(graph, model=halved(model).SerializeToString())


def inputs_of(graph: Graph, columns: Mapping[str, Cells]) -> dict[str, np.ndarray]:
    """Return what rows, by column, become as inputs of a graph."""
    arrays: dict[str, np.ndarray] = {}
    for feed in graph.feeds:
        arrays |= encode(feed, columns, files=graph.files, strict=False)
    return arrays
