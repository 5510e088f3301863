"""The plain graph, for any program with an ONNX runtime."""

from headway.export.onnx.graph import make_graph

__all__ = ["make_graph"]
