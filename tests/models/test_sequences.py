import numpy as np
import polars as pl

from headway.models.rows import judge_rows, pack
from headway.models.sequences import lay_out

BEGIN, END = 98, 99


def letters(texts):
    return [np.array([ord(letter) - 97 for letter in text], np.int32) for text in texts]


def test_a_stream_is_one_sequence_whose_every_token_counts():
    laid = lay_out(pl.DataFrame({"text": ["abc", "de"]}), letters, "stream", begin=BEGIN, end=END)
    assert laid.ids.tolist() == [BEGIN, 0, 1, 2, 3, 4]
    assert laid.sums(np.arange(6.0), 2).tolist() == [[6, 3], [9, 2]]


def test_documents_begin_and_end():
    laid = lay_out(pl.DataFrame({"text": ["abc", "d"]}), letters, "documents", begin=END, end=END)
    assert laid.ids.tolist() == [END, 0, 1, 2, END, END, 3, END]
    assert laid.starts.tolist() == [0, 5, 8]
    assert laid.sums(np.ones(8), 2)[:, 1].tolist() == [4, 2]


def test_prompts_do_not_count():
    def encode(texts):
        return letters([text.replace("\n", "z") for text in texts])

    rows = pl.DataFrame({"prompt": ["ab", None], "text": ["c", "d"]})
    laid = lay_out(rows, encode, "answers", begin=END, end=END)
    assert laid.ids.tolist() == [END, 0, 1, 25, 2, END, END, 3, END]
    assert laid.scored.tolist() == [False] * 4 + [True, True, False, True, True]


def test_every_scored_token_is_judged_once_with_what_stands_before_it():
    texts = ["abcdefghij" * 4, "abc", "k"]
    for form in ("stream", "documents"):
        laid = lay_out(pl.DataFrame({"text": texts}), letters, form, begin=BEGIN, end=END)
        seen = np.zeros(len(laid.ids), int)
        for batch in judge_rows(laid, 8, most_tokens=24):
            assert batch.ids.shape[1] <= 8
            np.add.at(seen, batch.token, 1)
            for row, column, token in zip(batch.row, batch.column, batch.token, strict=True):
                assert batch.ids[row, column] == laid.ids[token - 1]
                assert column < batch.lengths[row]
        assert (seen == laid.scored).all()


def test_rows_of_texts_hold_every_token_and_mostly_begin_with_a_text():
    random = np.random.default_rng(0)
    sizes = random.integers(3, 30, 50)
    texts = ["".join(chr(97 + letter) for letter in random.integers(0, 26, size)) for size in sizes]
    laid = lay_out(pl.DataFrame({"text": texts}), letters, "documents", begin=END, end=END)
    packed = pack(laid, 16, np.random.default_rng(1))
    rows = packed.batch(np.arange(len(packed.offsets)))
    assert rows.shape[1] == 17
    assert (rows[:, 0] == END).mean() > 0.5
    assert set(range(26)) <= set(rows.ravel().tolist())
    covered = np.zeros(len(packed.ids), bool)
    covered[(packed.offsets[:, None] + np.arange(17)).ravel()] = True
    assert covered.all()


def test_readings_differ_and_repeat_by_their_seed():
    laid = lay_out(pl.DataFrame({"text": ["abcdefghijklmnop" * 20]}), letters, "stream", begin=BEGIN, end=END)
    first, again, other = (pack(laid, 16, np.random.default_rng([0, number])) for number in (1, 1, 2))
    assert first.offsets.tolist() == again.offsets.tolist() != other.offsets.tolist()
    assert (np.sort(first.offsets)[1:] - np.sort(first.offsets)[:-1] == 16).all()
