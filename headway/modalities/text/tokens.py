"""Subword tokens: a byte-pair encoding trained on the training texts, which needs no word splitter for Chinese."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from headway.runtime.manifest import TokenFeed

PAD, UNKNOWN = "[PAD]", "[UNK]"
# A token that is seen a few times in training teaches nothing: one for so many characters, within bounds.
CHARACTERS_A_TOKEN, LEAST_VOCABULARY, VOCABULARY = 250, 1_000, 12_000
# The merges of a byte-pair encoding settle long before all of a large corpus is read.
_READ = 60_000
MAX_TOKENS = 256


def train_tokenizer(texts: Sequence[str], *, size: int | None = None) -> bytes:
    """Return a `tokenizer.json` with up to `size` tokens, id 0 for padding and 1 for unknown characters.

    Without `size` there is one token for every 250 characters of the texts, from 1,000 to 12,000.

    Texts are folded to NFKC and lower case and split into runs of letters and of other characters; inside a run,
    frequent neighbours are merged (Sennrich et al. 2016), so that frequent words of any script become one token. The
    same texts give the same tokens.
    """
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    if size is None:
        characters = sum(map(len, texts))
        size = min(VOCABULARY, max(LEAST_VOCABULARY, characters // CHARACTERS_A_TOKEN))
    tokenizer = Tokenizer(BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=[PAD, UNKNOWN],
        limit_alphabet=size // 2,
        max_token_length=16,
        show_progress=False,
    )
    step = max(1, -(-len(texts) // _READ))
    tokenizer.train_from_iterator(texts[::step], trainer)
    content: str = tokenizer.to_str()
    return content.encode("utf-8")


def token_feed(column: str, tokenizer: bytes, *, max_length: int = MAX_TOKENS) -> TokenFeed:
    """Return the feed of `column` through a tokenizer; equal tokenizers give equal names."""
    digest = hashlib.sha256(tokenizer).hexdigest()[:8]
    return TokenFeed(
        f"tokens:{column}:{digest}", (column,), tokenizer=f"tokenizer-{digest}.json", max_length=max_length
    )


def token_count(tokenizer: bytes) -> int:
    """Return how many different ids a tokenizer gives."""
    from tokenizers import Tokenizer

    return int(Tokenizer.from_str(tokenizer.decode("utf-8")).get_vocab_size())


def length_of_most(lengths: np.ndarray, *, share: float = 0.99) -> int:
    """Return a cut that leaves `share` of the texts whole, between 16 and MAX_TOKENS tokens."""
    if not len(lengths):
        return MAX_TOKENS
    return int(np.clip(np.quantile(lengths, share), 16, MAX_TOKENS))
