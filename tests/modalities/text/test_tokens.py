import json

import numpy as np

from headway.modalities.text.tokens import MAX_TOKENS, length_of_most, token_count, token_feed, train_tokenizer
from headway.runtime.feeds import encode

TEXTS = ["房间很好，服务很好", "房间不好", "The room was very good", "the ROOM was bad"] * 5


def test_frequent_words_of_any_script_become_one_token():
    tokens = json.loads(train_tokenizer(TEXTS))["model"]["vocab"]
    assert {"房间", "room", "[PAD]", "[UNK]"} <= set(tokens)
    assert tokens["[PAD]"] == 0


def test_the_same_texts_give_the_same_tokenizer():
    assert train_tokenizer(TEXTS) == train_tokenizer(TEXTS)


def test_the_size_is_kept():
    assert token_count(train_tokenizer(TEXTS, size=40)) <= 40


def test_the_feed_is_named_after_column_and_content():
    tokenizer = train_tokenizer(TEXTS)
    feed = token_feed("review", tokenizer)
    assert feed.name.startswith("tokens:review:")
    assert feed == token_feed("review", tokenizer)
    assert feed.tokenizer != token_feed("review", train_tokenizer(TEXTS[:2])).tokenizer
    arrays = encode(feed, {"review": ["房间", "unseen 🦄", None]}, files={feed.tokenizer: tokenizer})
    assert arrays[f"{feed.name}.ids"][0, 0] > 1


def test_the_cut_leaves_most_texts_whole():
    assert length_of_most(np.array([10] * 99 + [5000])) < MAX_TOKENS
    assert length_of_most(np.array([5000])) == MAX_TOKENS
    assert length_of_most(np.array([], int)) == MAX_TOKENS
