"""Predict with a graph that is still in memory, through the very path that a package takes."""

from __future__ import annotations

from collections.abc import Mapping

from headway.package.graph import Graph
from headway.runtime.manifest import Feed, InputColumn, Manifest, RowFeed, Target
from headway.runtime.model import Model
from headway.runtime.predictor import Predictor, open_predictor

_MODALITIES = {
    "number": "number",
    "category": "category",
    "date": "date",
    "characters": "text",
    "tokens": "text",
    "image": "image",
}


def open_graph(graph: Graph, *, threads: int | None = None) -> Predictor:
    """Return a predictor for `graph`; raises `PackageError` where the graph does not fit its feeds."""
    return open_predictor(graph.onnx, graph.feeds, graph.files, threads=threads)


def open_model(graph: Graph, *, threads: int | None = None) -> Model:
    """Return `graph` as a model whose labels are 0, 1, ...: for measuring, before there is a manifest."""
    predictor = open_graph(graph, threads=threads)
    return Model(plain_manifest(graph, dict(zip(predictor.outputs, predictor.widths, strict=True))), predictor)


def plain_manifest(graph: Graph, outputs: Mapping[str, int]) -> Manifest:
    """Return the least manifest that describes `graph`, of which each of the `outputs` has so many figures a row."""
    targets = [_target(name, width) for name, width in outputs.items()]
    several = len(targets) > 1
    return Manifest(
        name="graph",
        task="several" if several else targets[0].task,
        target="target",
        inputs=tuple(_inputs(graph.feeds).values()),
        feeds=graph.feeds,
        labels=() if several else targets[0].labels,
        targets=tuple(targets) if several else (),
    )


def _target(output: str, width: int) -> Target:
    """Return what an output answers."""
    kind, _, name = output.partition(":")
    return Target(name, "regress") if kind == "values" else Target(name, "classify", tuple(range(width)))


def _inputs(feeds: tuple[Feed, ...]) -> dict[str, InputColumn]:
    """Return the columns that the feeds read, by name."""
    inputs: dict[str, InputColumn] = {}
    for feed in feeds:
        kinds = feed.kinds if isinstance(feed, RowFeed) else (_MODALITIES[feed.kind],) * len(feed.columns)
        for name, kind in zip(feed.columns, kinds, strict=True):
            inputs.setdefault(name, InputColumn(name, kind))  # type: ignore[arg-type]
    return inputs
