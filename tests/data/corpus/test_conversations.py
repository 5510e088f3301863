"""Tests of conversations in cells."""

import json

from hypothesis import given
from hypothesis import strategies as st

from headway.data.corpus.conversations import (
    Record,
    Turn,
    compared,
    is_conversation,
    parse_turns,
    read_conversation,
    read_turns,
    write_turns,
)


@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text()), min_size=1, max_size=5))
def test_turns_come_back_from_their_cell(turns):
    said = tuple(Turn(role, content) for role, content in turns)
    assert parse_turns(write_turns(said)) == said


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.dictionaries(st.text(), st.text()))))
def test_nothing_that_is_no_conversation_fails(cell):
    record = read_conversation(cell)
    assert record.fault or record.text is not None


def test_texts_that_look_like_lists_are_texts():
    assert not is_conversation("[{ not JSON")
    assert not is_conversation("[1, 2]")
    assert is_conversation(json.dumps([{"role": "user", "content": "Hi"}]))


def test_pairs_to_different_prompts_are_told():
    worse = [{"role": "user", "content": "Another"}, {"role": "assistant", "content": "b"}]
    assert "different prompts" in compared(Record("One", "a"), worse).fault
    assert "the rejected answer" in compared(Record("One", "a"), [{"role": "robot"}]).fault
    assert compared(Record("One", "a"), "  ").worse is None


def test_roles_have_other_names_too():
    turns = [{"role": "developer", "content": "a"}, {"role": "User", "content": "b"}, {"role": "助手", "content": "c"}]
    assert [turn.role for turn in read_turns(turns)] == ["system", "user", "assistant"]
    assert "Tool" in read_turns([{"role": "Tool", "content": "a"}])
