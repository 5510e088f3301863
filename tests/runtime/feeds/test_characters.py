import unicodedata

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from headway.runtime.feeds import encode
from headway.runtime.feeds.characters import normalise
from headway.runtime.manifest import CharacterFeed


def codes(cells, **options):
    return encode(CharacterFeed("t", ("a",), **options), {"a": cells}, files={})["t"]


def words(rows):
    return ["".join(map(chr, row[row > 0])) for row in rows]


def test_texts_become_padded_code_points():
    rows = codes(["Hi", "今天 天气", None])
    assert rows.dtype == np.int32
    assert rows.tolist() == [[104, 105, 0, 0, 0], [20170, 22825, 32, 22825, 27668], [0, 0, 0, 0, 0]]


def test_normalising_folds_width_case_and_white_space():
    assert words(codes(["  ＡＢ\u3000\n c，"])) == ["ab c,"]
    assert words(codes(["Ａ  B"], normalise=False)) == ["Ａ  B"]


def test_texts_are_cut_after_normalising():
    assert words(codes(["   ab  cd"], max_length=4)) == ["ab c"]
    assert codes(["x" * 5000]).shape == (1, 2000)
    assert words(codes(["abcdef"], max_length=3, normalise=False)) == ["abc"]


def test_no_rows_and_empty_texts_keep_one_column():
    assert codes([]).shape == (0, 1)
    assert codes(["", ""]).shape == (2, 1)


def test_zero_bytes_and_lone_surrogates_are_replaced():
    assert words(codes(["a\0b", "a\ud800"], normalise=False)) == ["a\ufffdb", "a?"]


def test_series_arrays_and_numbers_are_texts_too():
    assert words(codes(pl.Series(["ab", None]))) == ["ab", ""]
    assert words(codes(np.array(["ab", "c"]))) == ["ab", "c"]
    assert words(codes([12, 1.5, True])) == ["12", "1.5", "true"]


@given(st.lists(st.text(), max_size=8))
def test_any_texts_are_spelt_as_the_definition_says(texts):
    expected = [" ".join(unicodedata.normalize("NFKC", text).lower().split()) for text in texts]
    clean = [text.replace("\0", "\ufffd").encode("utf-8", "replace").decode() for text in expected]
    assert words(codes(texts)) == clean
    assert words(codes(texts * 40)) == clean * 40


@given(st.text())
def test_normalising_is_stable(text):
    once = normalise(text)
    assert once == " ".join(once.split())
    assert unicodedata.is_normalized("NFKC", normalise(once))


TRICKY = st.text(
    st.sampled_from(
        "aÅÉßΣσİıſ\u0301\u3099かガﾞｶ가\u11a8각ＡＢ，。…℃㍿①😀👍🏽\ufe0f\u200d \t\n\x1c\x85\xa0\u2028\u3000Жй\u1e9e"
    )
)


@given(st.lists(TRICKY, min_size=8, max_size=30), st.integers(1, 12))
def test_many_texts_at_once_are_spelt_as_each_alone(texts, length):
    together = codes(texts, max_length=length)
    apart = [codes([text], max_length=length)[0] for text in texts]
    assert words(together) == [words(row[None])[0] for row in apart]


def test_every_character_is_spelt_alike_among_many():
    texts = [chr(code) + "b A" + chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    clean = [normalise(text).replace("\0", "\ufffd") for text in texts]
    assert words(codes(texts)) == clean
