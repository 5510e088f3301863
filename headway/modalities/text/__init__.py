"""Text cells as n-grams (hashes and a table, all of it in the ONNX graph) and as tokens of a trained tokenizer."""
