"""Tiny packages that write text: random weights, a byte for each token."""

from functools import lru_cache
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from headway.decoders.exporting import export_decoder
from headway.decoders.stack import DecoderConfig
from headway.package.writing import write_generator
from headway.runtime.generation import Generator, load_generator
from headway.runtime.manifest import Chat, Generation, Manifest, Turn
from tests.decoders.tiny import weights_of

CONFIG = DecoderConfig(
    vocabulary=259, width=64, layers=2, heads=4, key_value_heads=2, hidden=64, window=120, rope_theta=1000.0
)
END, OPEN, CLOSE = "<|end|>", "<|open|>", "<|close|>"
CHAT = Chat(
    start=f"{OPEN}system\nBe kind.{CLOSE}\n",
    roles={role: Turn(f"{OPEN}{role}\n", f"{CLOSE}\n") for role in ("system", "user", "assistant")},
    answer=f"{OPEN}assistant\n",
)


def tokenizer_of() -> Tokenizer:
    """Return a tokenizer with a token for each byte, and three marks."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in (END, OPEN, CLOSE)])
    return tokenizer


def facts_of(**change) -> Generation:
    return Generation(**{"window": CONFIG.window, "end_ids": (256,), "begin_id": None, "chat": CHAT, **change})


@lru_cache(maxsize=4)
def model_of(seed: int = 0) -> bytes:
    return export_decoder(CONFIG, weights_of(CONFIG, seed=seed))


def write_tiny(folder: Path, *, name: str = "tiny", seed: int = 0, **change) -> Path:
    """Write a package; `change` some facts of its generation."""
    manifest = Manifest(name=name, task="generate", target="", inputs=(), feeds=(), generation=facts_of(**change))
    return write_generator(folder, model_of(seed), tokenizer_of().to_str().encode(), manifest, card="# tiny")


def open_tiny(folder: Path, *, slots: int = 4, **change) -> Generator:
    return load_generator(write_tiny(folder, **change), threads=1, slots=slots)
