"""Texts written by vLLM on a GPU, from the same packages."""
