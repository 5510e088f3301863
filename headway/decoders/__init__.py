"""Decoders that write text: their weights as arrays, and the same as an ONNX graph with a key-value cache."""
