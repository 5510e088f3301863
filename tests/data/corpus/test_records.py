import polars as pl
import pytest

from headway.data.corpus.records import find_layout
from headway.errors import DataError


def read(rows, *, target=None, inputs=None):
    frame = pl.DataFrame(rows)
    layout = find_layout(frame, target=target, inputs=inputs, where="here")
    records = frame.iter_rows(named=True)
    return [(None if layout.prompt is None else layout.prompt(row), layout.text(row)) for row in records]


def test_prompts_and_completions():
    assert read([{"prompt": "我喜欢听音乐", "completion": "音乐让我放松"}]) == [("我喜欢听音乐", "音乐让我放松")]


def test_alpaca_joins_instruction_and_input():
    rows = [{"instruction": "Translate", "input": "cat", "output": "猫"}]
    assert read(rows) == [("Translate\ncat", "猫")]


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


def test_a_chat_without_an_answer_has_no_text():
    assert read([{"messages": '[{"role": "user", "content": "Hi"}]'}, {"messages": "damaged"}]) == [(None, None)] * 2


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
