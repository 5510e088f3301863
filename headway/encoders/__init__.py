"""Pretrained text encoders: opened from a base's folder, as a graph that ships and as a torch module to train.

One graph computes features in training and in production, so the two agree by construction::

    stack = read_stack(base)                       # weights as arrays; no torch
    constants = Constants()
    pooled = pooled_nodes(stack, ids, mask, constants, pooling=base.pooling)     # spox: float32 [rows, hidden]
    onnx = constants.build({...}, {"probabilities": head(pooled)})
    onnx = quantised(onnx)                         # where "int8" is the precision

Fine-tuning opens the same folder with `open_encoder(base)` (torch), and goes back by `stack_of(encoder)`.
"""
