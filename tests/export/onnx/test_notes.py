from dataclasses import replace

import pytest

from headway.export.onnx.notes import Signature, write_note
from headway.export.packed import Packed
from headway.runtime.manifest import CharacterFeed, TokenFeed


@pytest.fixture
def told(packed_table):
    def tell(lang="en", **changes):
        signature = Signature.of(packed_table)
        return write_note(Packed(replace(packed_table.manifest, **changes), packed_table.files), signature, lang)

    return tell


def test_the_way_to_a_decision_is_told(told):
    assert "highest probability" in told()
    assert "from probability 0.7 on" in told(threshold=("good", 0.7))
    assert "least expected cost" in told(costs=((0.0, 1.0, 1.0), (5.0, 0.0, 1.0), (1.0, 1.0, 0.0)))
    assert "0.7" in told("zh", threshold=("good", 0.7))


def test_what_a_feed_asks_of_its_caller_is_told(told):
    plain = CharacterFeed("chars:a text", ("a text",), max_length=7, normalise=False)
    assert "as it is; at most 7" in told(feeds=(plain,))
    tokens = TokenFeed("t", ("a text",), tokenizer="tok.json", prefix="query: ", pad_id=3)
    note = told(feeds=(tokens,))
    assert "`t.ids`, `t.mask`" in note
    assert "`query: `" in note
    assert "padded with 3" in note


def test_shapes_are_in_words(told):
    assert "| `chars:a text` | int32 | rows × longest |" in told()
    assert "| `probabilities` | float | rows × 3 |" in told()
