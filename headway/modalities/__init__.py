"""From cells to numbers, and the same step as ONNX."""
