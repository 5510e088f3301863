"""A package that writes text as one file for llama.cpp."""

from headway.export.gguf.writing import make_gguf

__all__ = ["make_gguf"]
