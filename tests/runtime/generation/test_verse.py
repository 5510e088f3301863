import numpy as np
import pytest

from headway.runtime.generation.verse import Verse, read_alphabet

tokenizers = pytest.importorskip("tokenizers")

TEXTS = ["<|end|>", *"春眠不觉晓处闻啼鸟，。\n a", "<0x41>"]


@pytest.fixture(scope="module")
def alphabet():
    vocabulary = {text: number for number, text in enumerate(TEXTS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    return read_alphabet(tokenizer, [0], len(TEXTS))


def ids(text):
    return [TEXTS.index(letter) for letter in text]


def may_follow(alphabet, text, lengths=(5, 7)):
    return {TEXTS[number] for number in np.flatnonzero(Verse(lengths, alphabet, ids(text)).allowed())}


LETTERS = set("春眠不觉晓处闻啼鸟a")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", LETTERS),
        ("春眠不觉", LETTERS),
        ("春眠不觉晓", LETTERS | set("，。")),
        ("春眠不觉晓处", LETTERS),
        ("春眠不觉晓处处", set("，。")),
        ("春眠不觉晓，", LETTERS | {"\n"}),
        ("春眠不觉晓，处处闻啼", LETTERS),
        ("春眠不觉晓，处处闻啼鸟", set("，。")),
        ("春眠不觉晓，处处闻啼鸟。", LETTERS | {"\n", "<|end|>"}),
        ("春眠不觉晓，处处闻啼鸟，", LETTERS | {"\n"}),
        ("春眠不觉晓，处处闻啼鸟。\n", LETTERS | {"<|end|>"}),
    ],
)
def test_what_may_follow(alphabet, text, wanted):
    assert may_follow(alphabet, text) == wanted


def test_a_text_of_another_form_is_left_alone(alphabet):
    assert may_follow(alphabet, "春眠，") == set(TEXTS)


def test_any_walk_along_it_keeps_the_form(alphabet):
    from headway.evaluation.writing.form import keeps_form

    random = np.random.default_rng(0)
    for _ in range(30):
        verse, text = Verse((5, 7), alphabet), ""
        while True:
            token = int(random.choice(np.flatnonzero(verse.allowed())))
            if token == 0:
                break
            verse.take(token)
            text += TEXTS[token]
        assert keeps_form(text, (5, 7)), text
