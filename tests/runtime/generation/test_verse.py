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
    from headway.data.corpus.form import keeps_form

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


SMALL = "a，。\n"


def ended_by_the_form(alphabet, begun, most):
    """Return all further texts of at most `most` letters that the form lets end, by walking along it."""
    verse = Verse((1, 2), alphabet, ids(begun))
    allowed = verse.allowed()
    found = {""} if allowed[0] else set()
    for letter in SMALL if most else "":
        if allowed[TEXTS.index(letter)]:
            found |= {letter + rest for rest in ended_by_the_form(alphabet, begun + letter, most - 1)}
    return found


@pytest.mark.parametrize(
    "begun",
    [
        "",
        "a",
        "aa",
        "a，",
        "aa。",
        "a，\n",
        "a，a",
        "aa，a",
        "a。a。",
        "a。a，",
        "a。a。\n",
        "a。a，\n",
        "aa，aa。a",
        "a，a，a，",
    ],
)
def test_the_regular_expression_lets_end_what_the_form_does(alphabet, begun):
    import itertools
    import re

    wanted = Verse((1, 2), alphabet, ids(begun)).constraint()
    assert wanted.kind == "regex"
    pattern, most = re.compile(wanted.text), 6
    texts = ("".join(letters) for size in range(most + 1) for letters in itertools.product(SMALL, repeat=size))
    assert {text for text in texts if pattern.fullmatch(text)} == ended_by_the_form(alphabet, begun, most)


def test_a_text_of_another_form_has_no_expression(alphabet):
    assert Verse((5, 7), alphabet, ids("春眠，")).constraint() is None


def test_llguidance_allows_what_the_form_does():
    llguidance = pytest.importorskip("llguidance")
    from llguidance import numpy as masks
    from tokenizers import AddedToken, Tokenizer, decoders, models

    letters = [*"春眠不觉晓处闻啼鸟，。\n a"]
    pieces = [*letters, *(f"<0x{byte:02X}>" for byte in range(256))]
    model = models.BPE(vocab={piece: place for place, piece in enumerate(pieces)}, merges=[], byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens([AddedToken("<|end|>", special=True)])
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    size = len(pieces) + 1
    # Bytes may spell a letter there, and are not looked at here.
    seen = [*range(len(letters)), size - 1]
    random = np.random.default_rng(0)
    verse = Verse((5, 7), read_alphabet(tokenizer, [size - 1], size))
    known = llguidance.LLTokenizer(tokenizer.to_str(), n_vocab=size, eos_token=size - 1)
    matcher = llguidance.LLMatcher(known, llguidance.grammar_from("regex", verse.constraint().text))
    for _ in range(40):
        bits = masks.allocate_token_bitmask(1, size)
        masks.fill_next_token_bitmask(matcher, bits, 0)
        mask = np.unpackbits(bits.view(np.uint8), bitorder="little")[:size].astype(bool)
        np.testing.assert_array_equal(mask[seen], verse.allowed()[seen])
        token = int(random.choice(np.flatnonzero(mask[: len(letters)])))
        matcher.consume_token(token)
        verse.take(token)
