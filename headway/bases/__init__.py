"""Pretrained models to start from: which are usable here, and how each is opened."""
