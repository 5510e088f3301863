import numpy as np
import polars as pl

from headway.data.near_texts import find_near_texts, pairs_in_buckets

LONG = "the quick brown fox jumps over the lazy dog while seven wizards watch from a hill"


def near(*texts, **options):
    return {tuple(pair) for pair in find_near_texts(pl.Series(list(texts), dtype=pl.String), **options).tolist()}


def test_a_text_with_one_word_changed_is_near_and_another_text_is_not():
    assert near(LONG, LONG.replace("lazy", "lame"), "something else altogether, of about the same length as well") == {
        (0, 1)
    }


def test_chinese_needs_no_words():
    text = "房间很大，床很舒服，早餐也不错，离地铁站很近，服务员态度非常好，下次还会来住"
    assert near(text, text.replace("还会来", "再会来"), "前台态度很差，房间又小又吵，再也不会来了，非常失望的一次") == {
        (0, 1)
    }


def test_punctuation_and_blanks_do_not_count():
    assert near("well done!", "well, done") == {(0, 1)}


def test_short_empty_and_missing_texts_pair_with_nothing():
    assert near("", None, "a", "!!", "ab") == set()
    assert near() == set()


def test_the_threshold_decides():
    other = LONG.replace("seven wizards", "nine old witches")
    assert near(LONG, other, similar=0.5) == {(0, 1)}
    assert near(LONG, other, similar=0.9) == set()


def test_every_true_pair_among_thousands_is_found_and_no_other():
    random = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz "))
    texts = ["".join(random.choice(letters, 120)) for _ in range(3000)]
    copies = [text[:60] + "x" + text[61:] for text in texts[:200]]
    found = near(*texts, *copies)
    assert found == {(i, 3000 + i) for i in range(200)}


def test_a_crowded_bucket_stays_connected():
    pairs = pairs_in_buckets(np.zeros(500, np.int64), crowd=3)
    assert len(pairs) < 1500
    assert set(range(1, 500)) <= set(pairs[:, 1].tolist())
