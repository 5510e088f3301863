import json

import polars as pl
import pytest

from headway.data.corpus.records import find_layout
from headway.errors import DataError


def read(rows, *, target=None, inputs=None):
    frame = pl.DataFrame(rows)
    layout = find_layout(frame, target=target, inputs=inputs, where="here")
    records = [layout.read(row) for row in frame.iter_rows(named=True)]
    return [(record.prompt, record.text) for record in records]


def records(rows):
    frame = pl.DataFrame(rows)
    layout = find_layout(frame, target=None, inputs=None, where="here")
    return [layout.read(row) for row in frame.iter_rows(named=True)]


def test_prompts_and_completions():
    assert read([{"prompt": "我喜欢听音乐", "completion": "音乐让我放松"}]) == [("我喜欢听音乐", "音乐让我放松")]


def test_alpaca_joins_instruction_and_input():
    rows = [{"instruction": "Translate", "input": "cat", "output": "猫"}]
    assert read(rows) == [("Translate\ncat", "猫")]


def test_an_input_and_its_output_are_a_prompt_and_its_answer():
    assert read([{"input": "cat", "output": "猫"}]) == [("cat", "猫")]


@pytest.mark.parametrize(
    "turns",
    [
        (
            '[{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}, '
            '{"role": "assistant", "content": "Hello"}]'
        ),
        '[{"from": "system", "value": "Be kind"}, {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]',
    ],
)
def test_chats_ask_for_their_last_answer(turns):
    assert read([{"messages": turns}]) == [("Be kind\nHi", "Hello")]


def test_lines_of_a_poem_are_joined():
    rows = [{"author": "李白", "title": "静夜思", "paragraphs": '["床前明月光，", "疑是地上霜。"]'}]
    assert read(rows) == [(None, "床前明月光，\n疑是地上霜。")]
    assert read(rows, target="paragraphs", inputs=["title"]) == [("静夜思", "床前明月光，\n疑是地上霜。")]


def test_of_unnamed_columns_the_longest_is_the_text():
    assert read([{"a": "short", "b": "a much longer text"}]) == [(None, "a much longer text")]


def test_no_text_and_unknown_columns_are_errors():
    with pytest.raises(DataError, match="no column holds text"):
        read([{"a": 1, "b": 2}])
    with pytest.raises(DataError, match="did you mean text"):
        read([{"text": "something"}], target="texts")


def test_a_chat_keeps_who_said_what():
    turns = [["system", "Be kind"], ["user", "Hi"], ["assistant", "Hello"], ["user", "How?"]]
    cell = json.dumps([{"role": role, "content": words} for role, words in [*turns, ["assistant", "Well"]]])
    (record,) = records([{"messages": cell}])
    assert (record.prompt, record.text) == ("Be kind\nHi\nHello\nHow?", "Well")
    assert [[turn.role, turn.content] for turn in record.turns] == turns
    (plain,) = records([{"messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                                                 {"role": "assistant", "content": "Hello"}])}])  # fmt: skip
    assert (plain.prompt, plain.text, plain.turns) == ("Hi", "Hello", ())


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ('[{"role": "user", "content": "Hi"}]', "no answer of the assistant"),
        ("damaged", "no list of turns"),
        ('[{"role": "tool", "content": "4"}, {"role": "assistant", "content": "4"}]', 'role "tool" is not known'),
        ('[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null}]', "says is no text"),
    ],
)
def test_what_is_wrong_with_a_chat_is_said(cell, fault):
    (record,) = records([{"messages": cell}])
    assert fault in record.fault


def test_a_system_prompt_stands_beside_alpaca():
    (record,) = records([{"system": "Be brief", "instruction": "Translate", "input": "cat", "output": "猫"}])
    assert [turn.role for turn in record.turns] == ["system", "user"]
    assert (record.prompt, record.text) == ("Be brief\nTranslate\ncat", "猫")


def test_pairs_of_answers():
    said = [{"role": "user", "content": "Hi"}]
    better, worse = ([*said, {"role": "assistant", "content": words}] for words in ("Hello!", "Go away."))
    rows = [{"prompt": "Hi", "chosen": "Hello!", "rejected": "Go away."}]
    talks = [{"chosen": json.dumps(better), "rejected": json.dumps(worse)}]
    asked = [{"prompt": json.dumps(said), "chosen": json.dumps(better[1:]), "rejected": json.dumps(worse[1:])}]
    for each in (rows, talks, asked):
        (record,) = records(each)
        assert (record.prompt, record.text, record.worse, record.fault) == ("Hi", "Hello!", "Go away.", "")


def test_pairs_that_teach_nothing_are_told():
    rows = [
        {"prompt": "Hi", "chosen": "Same", "rejected": " Same "},
        {"prompt": None, "chosen": "a", "rejected": "b"},
        {"prompt": "Hi", "chosen": "Only one", "rejected": None},
    ]
    same, alone, single = records(rows)
    assert "are the same" in same.fault
    assert "no prompt" in alone.fault
    assert (single.text, single.worse, single.fault) == ("Only one", None, "")
