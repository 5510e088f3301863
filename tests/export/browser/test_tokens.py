"""The page's tokenizers give the ids of the library `tokenizers`."""

import json

import pytest

from headway.modalities.text.tokens import train_tokenizer
from tests.export.browser.node import needs_node, run_js

tokenizers = pytest.importorskip("tokenizers")
pytestmark = needs_node

TEXTS = [
    "", " ", "房间很大,服务也好!价格560元的高级房还是不错的", "The room was clean, isn't it?  560 yuan",
    "Ａ　ﬁne ΣΑΣ İs e\u0301 naïve", "👍🏽👨‍👩‍👧 ok\u200ba\ufeffb\x85c", "[UNK] x [PAD]  [SEP]<s>y</s>",
    "한국어 텍스트", "unbelievably " * 40, "x" * 150, "1,234.50€ a_b-c.d/e",
]  # fmt: skip


def word_pieces():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "the",
        "room",
        "clean",
        "##ly",
        "un",
        "##believ",
        "##ab",
        "is",
        "房",
        "间",
        ",",
        "a",
    ]
    words += [*"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0")]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(dict.fromkeys(words))}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    return tokenizer.to_str()


def unigrams():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "▁",
        "▁the",
        "▁room",
        "room",
        "oo",
        "房间",
        "很",
        "大",
        "很大",
        "▁un",
        "believ",
        "ably",
    ]
    pieces += list("abcdefghijklmnopqrstuvwxyz0123456789,.!")
    scored = [(piece, 0.0 if i < 4 else -2.0 - 0.37 * (i % 11)) for i, piece in enumerate(dict.fromkeys(pieces))]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=3))
    replace = normalizers.Replace(tokenizers.Regex(" {2,}"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), replace])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.add_special_tokens(["<s>", "</s>"])
    return tokenizer.to_str()


def byte_pairs():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    return tokenizer.to_str()


def own():
    return train_tokenizer([*TEXTS * 4, "价格60元", "0元的", "高级房", "不错的"], size=300).decode()


def ids_js(tokenizer, texts, most):
    body = """
const tokenizer = openTokenizer(JSON.parse(given.tokenizer), "tokenizer.json");
return given.texts.map((text) => tokenizer.encode(text, given.most));"""
    return run_js("openTokenizer", "tokens/tokenizer.js", body, {"tokenizer": tokenizer, "texts": texts, "most": most})


@pytest.mark.parametrize("make", [own, word_pieces, unigrams, byte_pairs])
@pytest.mark.parametrize("most", [256, 8])
def test_the_ids_are_the_same(make, most):
    tokenizer = make()
    reference = tokenizers.Tokenizer.from_str(tokenizer)
    reference.no_padding()
    reference.enable_truncation(most)
    assert ids_js(tokenizer, TEXTS, most) == [encoding.ids for encoding in reference.encode_batch_fast(TEXTS)]


@pytest.mark.parametrize(
    ("part", "value", "named"),
    [
        ("normalizer", {"type": "Nmt"}, "normalizer Nmt"),
        ("pre_tokenizer", {"type": "UnicodeScripts"}, "pre-tokenizer UnicodeScripts"),
        ("post_processor", {"type": "Other"}, "post-processor Other"),
        ("model", {"type": "WordLevel", "vocab": {}, "unk_token": "x"}, "model WordLevel"),
    ],
)
def test_what_is_not_read_is_named(part, value, named):
    wrong = json.dumps({**json.loads(own()), part: value})
    body = """
try { openTokenizer(JSON.parse(given), "tokenizer.json"); }
catch (error) { return [error.constructor.name, error.message]; }"""
    kind, message = run_js("openTokenizer", "tokens/tokenizer.js", body, wrong)
    assert kind == "PackageError"
    assert named in message
