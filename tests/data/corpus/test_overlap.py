import numpy as np
import polars as pl

from headway.data.corpus.overlap import SPAN, find_shared_spans, window_hashes


def random_text(seed, size=300):
    return "".join(chr(97 + letter) for letter in np.random.default_rng(seed).integers(0, 26, size))


def test_a_shared_passage_is_found_wherever_it_stands():
    passage = random_text(0, SPAN)
    texts = pl.Series([random_text(1), random_text(2) + passage + "end", "short", None])
    others = pl.Series([random_text(3), passage, random_text(4)])
    assert find_shared_spans(texts, others).tolist() == [-1, 1, -1, -1]


def test_a_passage_over_the_border_of_two_texts_does_not_count():
    passage = random_text(0, SPAN)
    assert find_shared_spans(pl.Series([passage[:30], passage[30:]]), pl.Series([passage])).tolist() == [-1, -1]


def test_nearly_a_passage_is_none():
    passage = random_text(0, SPAN)
    assert find_shared_spans(pl.Series([passage[:-1] + "#"]), pl.Series([passage])).tolist() == [-1]


def test_hashes_depend_on_the_window_alone():
    points = np.arange(100, dtype=np.uint64) % np.uint64(10)
    hashes = window_hashes(points, 10)
    assert hashes[0] == hashes[10] == window_hashes(points[20:], 10)[0]
    assert len(np.unique(hashes)) == 10
