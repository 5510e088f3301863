"""Predict with a graph that is still in memory, through the very path that a package takes."""

from __future__ import annotations

from headway.package.graph import Graph
from headway.runtime.manifest import Feed, InputColumn, Manifest, RowFeed
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
    labels = 0 if predictor.output == "values" else predictor.width
    return Model(plain_manifest(graph, labels), predictor)


def plain_manifest(graph: Graph, labels: int) -> Manifest:
    """Return the least manifest that describes `graph`, which tells so many labels apart, or gives values where 0."""
    return Manifest(
        name="graph",
        task="classify" if labels else "regress",
        target="target",
        inputs=tuple(_inputs(graph.feeds).values()),
        feeds=graph.feeds,
        labels=tuple(range(labels)),
    )


def _inputs(feeds: tuple[Feed, ...]) -> dict[str, InputColumn]:
    """Return the columns that the feeds read, by name."""
    inputs: dict[str, InputColumn] = {}
    for feed in feeds:
        kinds = feed.kinds if isinstance(feed, RowFeed) else (_MODALITIES[feed.kind],) * len(feed.columns)
        for name, kind in zip(feed.columns, kinds, strict=True):
            inputs.setdefault(name, InputColumn(name, kind))  # type: ignore[arg-type]
    return inputs
