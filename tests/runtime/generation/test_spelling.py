"""Tests of the bytes that tokens stand for."""

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models

from headway.models.gpt.tokenizing import END, make_words
from headway.runtime.generation.spelling import Spelling
from tests.runtime.generation.packages import tokenizer_of

TEXT = "Grüße, 世界 🎉! ĠĊ <0x41> tab\t."


def pieces_of():
    """Return a tokenizer of SentencePiece's kind: words begin with ▁, bytes where a character is unknown."""
    letters = ["▁", *"Grüße,!<0x41>tab.", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocabulary = {letter: place for place, letter in enumerate(dict.fromkeys(letters))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, fuse_unk=False))
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0),
    ])  # fmt: skip
    return tokenizer


@pytest.mark.parametrize(
    "tokenizer",
    [tokenizer_of(), make_words(["Grüße, 世世界界"] * 9, "characters").tokenizer,
     make_words([TEXT] * 9, "bpe").tokenizer],
    ids=["bytes", "characters", "pairs"],
)  # fmt: skip
def test_bytes_join_to_the_text(tokenizer):
    spelling, ids = Spelling(tokenizer), tokenizer.encode(TEXT, add_special_tokens=False).ids
    assert b"".join(map(spelling.bytes_of, ids)) == TEXT.encode()


def test_words_that_begin_with_a_mark_begin_with_a_blank():
    tokenizer = pieces_of()
    spelling, ids = Spelling(tokenizer), tokenizer.encode("▁Grüße▁世!", add_special_tokens=False).ids
    assert b"".join(map(spelling.bytes_of, ids)) == " Grüße 世!".encode()


def test_marks_have_their_names_and_numbers_without_a_token_nothing():
    tokenizer = make_words(["abc"] * 9, "characters").tokenizer
    tokenizer.add_special_tokens([AddedToken("<|ü|>", special=True)])
    spelling = Spelling(tokenizer)
    assert spelling.bytes_of(tokenizer.token_to_id(END)) == END.encode()
    assert spelling.bytes_of(tokenizer.token_to_id("<|ü|>")) == "<|ü|>".encode()
    assert spelling.bytes_of(tokenizer.get_vocab_size() + 5) == b""
