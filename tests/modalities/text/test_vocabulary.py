from collections import Counter

import numpy as np
import polars as pl
from spox import Tensor, argument

from headway.modalities.text.characters import read_texts
from headway.modalities.text.vocabulary import learn, open_hashes, open_nodes

TEXTS = ["the cat sat", "the cat ran", "a dog ran", "", None]


def read(texts):
    return read_texts(pl.DataFrame({"t": texts}, schema={"t": pl.String}), "t")


def ids(vocabulary, texts):
    codes = argument(Tensor(np.int32, ("rows", None)))
    run = open_nodes({"codes": codes}, vocabulary.ids(codes))
    rows = [None] * len(texts)
    for positions, batch in read(texts).batches:
        for position, row in zip(positions, run(batch), strict=True):
            rows[position] = sorted(row[row > 0].tolist())
    return rows


def test_words_in_enough_rows_are_learnt_with_their_frequency():
    words = learn(read(TEXTS), "words", longest=2, least=2, most=100)
    # the, cat, ran, "the cat"
    assert Counter(zip(words.order.tolist(), words.frequency.tolist(), strict=True)) == {(1, 2): 3, (2, 2): 1}
    assert words.documents == 5


def test_character_frequencies_count_rows_not_occurrences():
    characters = learn(read(["aaaa", "a", "b"]), "characters", longest=1, least=1, most=100)
    # the blank at the edges of all three, a in two, b in one
    assert sorted(characters.frequency.tolist()) == [1, 2, 3]


def test_the_most_frequent_are_kept_and_sorted_by_hash():
    few = learn(read(["ab", "ab", "ac"]), "characters", longest=1, least=1, most=2)
    assert sorted(few.frequency.tolist()) == [3, 3]
    assert (np.diff(few.keys) > 0).all()


def test_ids_are_the_different_known_ngrams_of_a_row():
    words = learn(read(TEXTS), "words", longest=1, least=2, most=100)
    found = ids(words, ["the the cat cat cat", "ran", "unheard of", None])
    assert [len(row) for row in found] == [2, 1, 0, 0]
    assert set(found[0]) | set(found[1]) == {1, 2, 3}


def test_an_empty_vocabulary_finds_nothing():
    nothing = learn(read(["ab", "cd"]), "words", longest=2, least=2, most=100)
    assert len(nothing) == 0
    assert ids(nothing, ["ab", ""]) == [[], []]


def test_hashes_are_opened_once_and_known_ones_have_the_ids_of_the_shipped_nodes():
    assert open_hashes("words", 2) is open_hashes("words", 2)
    words = learn(read(TEXTS), "words", longest=2, least=1, most=100)
    hashes = argument(Tensor(np.int64, ("rows", None)))
    known = open_nodes({"hashes": hashes}, words.known(hashes))
    whole = ids(words, TEXTS)
    for positions, batch in read(TEXTS).batches:
        for position, row in zip(positions, known(open_hashes("words", 2)(batch)), strict=True):
            assert sorted(row[row > 0].tolist()) == whole[position]
