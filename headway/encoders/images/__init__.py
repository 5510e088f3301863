"""Pretrained image encoders: as a graph that ships, and as features that are computed once and kept.

backbone = open_backbone(base, size=size, store=store)
features = read_features(backbone, cells, store=store, clock=clock)          # float32 [n, width]
pooled = feature_nodes(backbone.onnx, inputs, constants, picture=..., ...)    # the same in the graph that ships
"""
