"""Predict with a graph that is still in memory, through the very path that a package takes."""

from __future__ import annotations

from headway.package.graph import Graph
from headway.runtime.predictor import Predictor, open_predictor


def open_graph(graph: Graph, *, threads: int | None = None) -> Predictor:
    """Return a predictor for `graph`; raises `PackageError` where the graph does not fit its feeds."""
    return open_predictor(graph.onnx, graph.feeds, graph.files, threads=threads)
