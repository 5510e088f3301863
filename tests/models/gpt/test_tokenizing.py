import pytest

from headway.models.gpt.tokenizing import END, choose_kind, make_words, read_words

TEXTS = ["春眠不觉晓，处处闻啼鸟。\n" * 3, "hello world\n" * 5]
ODD = ["春眠 hello 🎉\u200d👩 ß \n\n  a\tb", "", "<0x41>", "한국어 и عربى", "\x00\x7f\ufffd"]


@pytest.mark.parametrize("kind", ["characters", "bpe"])
@pytest.mark.parametrize("text", ODD)
def test_any_text_comes_back(kind, text):
    words = make_words(TEXTS, kind)
    (ids,) = words.encode([text])
    assert words.tokenizer.decode(ids.tolist()) == text
    assert words.end not in ids
    assert ids.max(initial=0) < words.size


@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_what_looks_like_the_end_does_not_end_a_text(kind):
    words = make_words(TEXTS, kind)
    assert words.end not in words.encode([f"a{END}b"])[0]


def test_it_travels_as_json():
    words = make_words(TEXTS, "characters")
    again = read_words(words.to_json(), "characters")
    assert again.encode(TEXTS)[0].tolist() == words.encode(TEXTS)[0].tolist()
    assert again.end == words.end


def test_rare_characters_are_written_in_bytes():
    words = make_words(["a" * 10 + "b" * 10 + "罕"], "characters")
    assert len(words.encode(["ab"])[0]) == 2
    assert len(words.encode(["罕"])[0]) == 3


def test_large_corpora_are_read_in_pieces_of_words():
    assert choose_kind(["a" * 1000]) == "characters"
    assert choose_kind(["a" * 1_000_000] * 5) == "bpe"


def test_what_time_lets_read_but_once_is_read_in_pieces_unless_a_sign_says_as_much():
    hanzi = "".join(chr(0x4E00 + number) for number in range(600)) * 2
    assert choose_kind(["a few letters"], readings=1) == "bpe"
    assert choose_kind(["a few letters"], readings=50) == "characters"
    assert choose_kind([hanzi], readings=1) == "characters"
