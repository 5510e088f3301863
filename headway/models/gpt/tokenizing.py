"""A tokenizer made from the corpus: characters, or byte-level BPE where there is much to read in the time there is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END = "<|end|>"
Kind = Literal["characters", "bpe"]
# Up to so many characters of text a network learns spelling faster than rarely seen words, given the time.
CHARACTERS_UP_TO = 4_000_000
# The time: so many readings. In fewer, more is learnt from pieces of words, of which a text has fewer: of 900,000
# characters of Shakespeare, 1.69 nats a character against 1.79 for the work of one reading by character (AdamW), and
# 1.70 either way for that of two and a half (Muon).
ENOUGH_READINGS = 2.0
# A script of more signs (Chinese, Japanese, Korean) says in one of them what others need a piece of a word for.
MANY_SIGNS = 500
# A character seen less often than this is written in bytes: its own row of the table would stay untrained.
RARE = 2
# The size of a BPE vocabulary grows with the root of the text's length, between these.
SMALLEST, LARGEST = 512, 16_000


@dataclass(frozen=True)
class Words:
    """A tokenizer with its kind, its size, and the id of a text's end, which is also what stands before a text."""

    tokenizer: Tokenizer
    kind: Kind

    @property
    def size(self) -> int:
        """Return the number of ids."""
        return int(self.tokenizer.get_vocab_size())

    @property
    def end(self) -> int:
        """Return the id that ends a text."""
        end = self.tokenizer.token_to_id(END)
        assert end is not None
        return int(end)

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the ids of each text, int32; what looks like the end in a text is read as plain characters."""
        found = self.tokenizer.encode_batch_fast([text.replace(END, "<|end|\u200b>") for text in texts])
        return [np.array(each.ids, np.int32) for each in found]

    def to_json(self) -> str:
        """Return it in the format of the `tokenizers` library."""
        return str(self.tokenizer.to_str())


def read_words(text: str, kind: Kind) -> Words:
    """Return the tokenizer that `Words.to_json` wrote."""
    from tokenizers import Tokenizer

    return Words(Tokenizer.from_str(text), kind)


def choose_kind(texts: Sequence[str], *, readings: float = math.inf) -> Kind:
    """Return which units a corpus is best learnt in, where the time holds so many readings of it by character."""
    if sum(map(len, texts)) > CHARACTERS_UP_TO:
        return "bpe"
    if readings >= ENOUGH_READINGS or len(signs_of(texts)) > MANY_SIGNS:
        return "characters"
    return "bpe"


def make_words(texts: Sequence[str], kind: Kind) -> Words:
    """Return a tokenizer that can write any text, made for these."""
    return Words(_characters(texts) if kind == "characters" else _pairs(texts), kind)


def signs_of(texts: Iterable[str]) -> list[str]:
    """Return the characters that are not rare, sorted."""
    seen = Counter[str]()
    for text in texts:
        seen.update(text)
    return sorted(character for character, times in seen.items() if times >= RARE)


def _characters(texts: Sequence[str]) -> Tokenizer:
    """Return one that knows the corpus's characters, and the bytes of all others: BPE without merges."""
    from tokenizers import AddedToken, Tokenizer, decoders, models

    pieces = [*signs_of(texts), *(f"<0x{byte:02X}>" for byte in range(256))]
    vocabulary = {piece: number for number, piece in enumerate([END, *pieces])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, fuse_unk=False))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(END, special=True)])
    return tokenizer


def _pairs(texts: Sequence[str]) -> Tokenizer:
    """Return byte-level byte pair encoding (Radford et al. 2019, section 2.2), trained on the corpus."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    size = min(LARGEST, max(SMALLEST, math.isqrt(sum(map(len, texts)))))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[END], initial_alphabet=alphabet, show_progress=False, min_frequency=2
    )
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    return tokenizer
