"""Open a package and predict: numpy, onnxruntime, tokenizers and Pillow only."""
