"""Tests of what OpenAI's clients send."""

import pytest

from headway.runtime.generation.wishes import Message
from headway.serving.refusals import RefusalError
from headway.serving.writing.asked import read_chat, read_completion

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def test_every_wish_of_a_chat_is_read():
    asked = read_chat({
        **CHAT, "max_completion_tokens": 7, "temperature": 0.5, "top_p": 0.9, "n": 2, "stream": True, "seed": -3,
        "stop": ["a", "b"], "logprobs": True, "top_logprobs": 3, "stream_options": {"include_usage": True},
        "user": "x", "presence_penalty": 0, "tools": None,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    })  # fmt: skip
    wish = asked.wish_of(1, 100, None)
    assert (wish.max_tokens, wish.temperature, wish.top_p, wish.stop, wish.chances) == (7, 0.5, 0.9, ("a", "b"), 3)
    assert wish.seed == asked.wish.seed + 1
    assert (asked.model, asked.answers, asked.streams, asked.counts, asked.schema) == (
        "m", 2, True, True, {"type": "object"},
    )  # fmt: skip
    assert asked.prompts == [[Message("user", "Hello")]]


def test_without_a_bound_there_is_room_for_the_window():
    assert read_chat(CHAT).wish_of(0, 55, None).max_tokens == 55
    assert read_completion({"prompt": "a"}).wish_of(0, 55, None).max_tokens == 16
    assert read_completion({"prompt": "a", "max_tokens": 90}).wish_of(0, 55, None).max_tokens == 55


def test_parts_and_developers_are_understood():
    messages = [
        {"role": "developer", "content": "Be kind"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    ]
    assert read_chat({"messages": messages}).prompts == [[Message("system", "Be kind"), Message("user", "ab")]]


@pytest.mark.parametrize("prompt", ["a", ["a", "b"], [1, 2], [[1, 2], [3]]])
def test_prompts_of_every_form_are_read(prompt):
    asked = read_completion({"prompt": prompt})
    assert len(asked.prompts) == (2 if isinstance(prompt, list) and not isinstance(prompt[0], int) else 1)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"temprature": 1}, "temprature"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": "x"}, "max_completion_tokens"),
        ({"max_completion_tokens": 5, "max_tokens": "x"}, "max_tokens"),
        ({"max_completion_tokens": 5, "max_tokens": 6}, "max_tokens"),
        ({"stream": True, "stream_options": {"include_usge": True}}, "stream_options.include_usge"),
        ({"stream": True, "stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"messages": [{"role": "user", "content": "x", "name": "Ann"}]}, "messages[0].name"),
        ({"messages": [{"role": "user", "content": "x", "contents": "y"}]}, "messages[0].contents"),
        ({"messages": [{"role": "assistant", "content": "x", "tool_calls": [{}]}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "x": 1}]}]}, "messages[0].content.x"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content"),
        ({"stop": [""]}, "stop"),
        ({"stop": list("abcde")}, "stop"),
        ({"seed": 1.5}, "seed"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"model": 3}, "model"),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(change, param):
    with pytest.raises(RefusalError) as caught:
        read_chat({**CHAT, **change})
    told = caught.value.as_json()
    assert caught.value.status == 400
    assert told["param"] == param
    assert told["type"] == "invalid_request_error"


def test_what_says_nothing_passes():
    empty = {"tool_calls": None, "refusal": None, "annotations": [], "name": None}
    asked = read_chat({**CHAT, "messages": [{**CHAT["messages"][0], **empty}], "max_tokens": 5,
                       "max_completion_tokens": 5, "stream_options": None})  # fmt: skip
    assert (asked.most, asked.prompts) == (5, [[Message("user", "Hello")]])


def test_a_slip_of_the_pen_is_corrected():
    with pytest.raises(RefusalError, match="unknown field") as caught:
        read_chat({**CHAT, "temprature": 1})
    assert caught.value.next == "did you mean temperature?"
    with pytest.raises(RefusalError):
        read_completion({"prompt": 5})
    with pytest.raises(RefusalError):
        read_chat(["a"])
