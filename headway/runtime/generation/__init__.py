"""Text written by a package: numpy, onnxruntime and tokenizers only."""

from headway.runtime.generation.generator import Generator, Written, load_generator
from headway.runtime.generation.wishes import Message, Wish

__all__ = ["Generator", "Message", "Wish", "Written", "load_generator"]
