import itertools
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spox import Tensor, argument

from headway.modalities.text.characters import read_texts
from headway.modalities.text.ngrams import character_ngrams, word_ngrams
from headway.modalities.text.vocabulary import open_nodes
from headway.runtime.feeds.characters import normalise

CODES = argument(Tensor(np.int32, ("rows", None)))
CHARACTERS = open_nodes({"codes": CODES}, character_ngrams(CODES, 3))
WORDS = open_nodes({"codes": CODES}, word_ngrams(CODES, 2))


def hashes(run, texts):
    """Return the list of hashes of each text, 0 left out, in the order of orders and positions."""
    read = read_texts(pl.DataFrame({"t": texts}, schema={"t": pl.String}), "t")
    rows = [None] * len(texts)
    for positions, codes in read.batches:
        for position, row in zip(positions, run(codes), strict=True):
            rows[position] = row[row != 0].tolist()
    return rows


def windows(text):
    framed = f" {normalise(text)} "
    return [framed[i : i + n] for n in (1, 2, 3) for i in range(len(framed) - n + 1)]


def word_runs(text):
    words = re.findall(r"[a-z0-9\u00aa-\u1fff\uac00-\ud7a3]+|[^ ]", normalise(text))
    return words + list(itertools.pairwise(words))


def assert_one_name_each(expected, found):
    """The hashes name the n-grams one to one, in the same places."""
    assert [len(row) for row in expected] == [len(row) for row in found]
    pairs = {(a, b) for some, others in zip(expected, found, strict=True) for a, b in zip(some, others, strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


TEXTS = st.lists(st.text(st.sampled_from("ab 1é酒店，!한😀"), max_size=12), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_character_hashes_name_every_window_of_the_framed_text(texts):
    assert_one_name_each([windows(text) for text in texts], hashes(CHARACTERS, texts))


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_word_hashes_name_every_word_and_pair(texts):
    assert_one_name_each([word_runs(text) for text in texts], hashes(WORDS, texts))


@pytest.mark.parametrize("run", [CHARACTERS, WORDS])
def test_a_text_has_the_same_hashes_whatever_it_is_batched_with(run):
    alone = hashes(run, ["the lake 湖"])
    assert hashes(run, ["the lake 湖", "a much longer text, with more words than that"])[0] == alone[0]


def test_words_keep_their_hash_at_the_far_end_of_a_long_text():
    near, far = hashes(WORDS, ["lake"])[0][0], hashes(WORDS, ["x " * 900 + "lake"])[0]
    assert far[900] == near
