import numpy as np
import polars as pl
import pytest
from spox import Tensor, argument

from headway.modalities.text.characters import read_texts
from headway.modalities.text.vocabulary import learn, open_nodes
from headway.models.ngram_linear.features import Block, presence_of, worth_of

TEXTS = ["good room", "good bed good", "bad room", "bad bed", "good view", ""]
Y = np.array([1, 1, 0, 0, 1, 0])


@pytest.fixture
def texts():
    return read_texts(pl.DataFrame({"t": TEXTS}), "t")


@pytest.fixture
def vocabulary(texts):
    return learn(texts, "words", longest=1, least=1, most=100)


def test_presence_counts_a_repeated_word_once(texts, vocabulary):
    presence = presence_of(vocabulary, texts)
    assert presence.toarray().max() == 1
    assert presence.sum(1).tolist() == [2, 2, 2, 2, 2, 0]


def test_rare_words_and_telling_words_are_worth_more(texts, vocabulary):
    presence = presence_of(vocabulary, texts)
    counts, plain, worth = presence.toarray().sum(0), worth_of(presence, None, 1), worth_of(presence, Y, 2)
    good, view = int(np.argmax(counts)), int(np.argmin(counts))
    assert plain[view] > plain[good]
    # Of the words in two rows, "bad" tells the label; "room" and "bed" do not.
    twice = np.sort((worth / plain)[counts == 2])
    assert twice[-1] > 2 * twice[0]


def test_rows_have_length_one_and_an_empty_one_zero(texts, vocabulary):
    presence = presence_of(vocabulary, texts)
    weighted = Block(vocabulary, worth_of(presence, Y, 2)).weighted(presence)
    np.testing.assert_allclose(np.sqrt((weighted.toarray() ** 2).sum(1)), [1, 1, 1, 1, 1, 0], atol=1e-6)


def test_the_nodes_compute_the_same_products(texts, vocabulary):
    presence = presence_of(vocabulary, texts)
    block = Block(vocabulary, worth_of(presence, Y, 2))
    weights = np.random.default_rng(0).normal(size=(len(vocabulary), 3)).astype(np.float32)
    codes = argument(Tensor(np.int32, ("rows", None)))
    run = open_nodes({"codes": codes}, block.scores(codes, weights))
    expected = block.weighted(presence) @ weights
    for positions, batch in texts.batches:
        np.testing.assert_allclose(run(batch), expected[positions], atol=1e-6)
