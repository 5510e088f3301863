"""Tests of wishes in the words of vLLM."""

import pytest

from headway.runtime.generation.answering import begin_answer
from headway.runtime.generation.prompts import Prompts
from headway.runtime.generation.wishes import Wish
from headway.serving.writing.grammar import JsonGrammar
from headway.serving.writing.vllm.sampling import form_of, sampling_of
from tests.runtime.generation.packages import CONFIG, facts_of, tokenizer_of


def answer_of(wish, *, length=2, **facts):
    prompts = Prompts(tokenizer_of().to_str().encode(), facts_of(**facts))
    return begin_answer([97] * length, wish, prompts, window=120)


def test_every_field_of_a_wish_is_said():
    wish = Wish(max_tokens=7, temperature=0.5, top_p=0.9, seed=11, stop=("\n",), chances=3)
    assert sampling_of(answer_of(wish), ends={258, 256}, window=120) == {
        "max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "seed": 11, "stop_token_ids": [256, 258],
        "ignore_eos": True, "logprobs": 3, "detokenize": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "name", "expected"),
    [
        (Wish(temperature=0), "temperature", 0),
        (Wish(max_tokens=500), "max_tokens", 20),  # as much as the window has room for
        (Wish(seed=2**80 + 5), "seed", 5),
        (Wish(), "seed", None),
        (Wish(), "logprobs", None),
        (Wish(chances=0), "logprobs", 0),
    ],
)
def test_bounds(wish, name, expected):
    assert sampling_of(answer_of(wish, length=100), ends=(), window=120)[name] == expected


def test_forms():
    assert form_of(answer_of(Wish())) is None
    grammar = JsonGrammar(tokenizer_of().to_str(), CONFIG.vocabulary, (256,), {"type": "object"})
    form = form_of(answer_of(Wish(grammar=grammar)))
    assert set(form) == {"json"}
    assert '"type": "object"' in form["json"]
    assert '"whitespace_flexible": false' in form["json"]
    assert set(form_of(answer_of(Wish(), lines=(5, 7), chat=None, length=1))) == {"regex"}
