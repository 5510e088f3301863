"""Conversations and pairs of answers, read from the cell of a record: who said what, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

ROLES = ("system", "user", "assistant")
_ALIASES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "chatgpt": "assistant",
            "developer": "system", "系统": "system", "用户": "user", "助手": "assistant"}  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """What one of `ROLES` said."""

    role: str
    content: str


@dataclass(frozen=True)
class Record:
    """One record of a corpus.

    `text`: what is to be written; `prompt`: all that stands before it as plain text, None where there is nothing;
    `turns`: the same as who said what, empty where the prompt is one turn of a user; `worse`: an answer that somebody
    liked less than `text`, None where nobody compared; `fault`: why the record cannot be used, empty where it can.
    """

    prompt: str | None = None
    text: str | None = None
    turns: tuple[Turn, ...] = ()
    worse: str | None = None
    fault: str = ""


def read_conversation(cell: object) -> Record:
    """Return the last answer of the assistant and what was said before it; later turns ask for what nobody answered."""
    turns = read_turns(cell)
    if isinstance(turns, str):
        return Record(fault=turns)
    last = max((place for place, turn in enumerate(turns) if turn.role == "assistant"), default=None)
    if last is None:
        return Record(fault="the conversation has no answer of the assistant")
    return answered(turns[:last], turns[last].content)


def answered(before: tuple[Turn, ...], text: str | None) -> Record:
    """Return the record of an answer after some turns."""
    prompt = "\n".join(turn.content for turn in before if turn.content)
    is_plain = len(before) <= 1 and all(turn.role == "user" for turn in before)
    return Record(prompt or None, text, () if is_plain else before)


def read_turns(cell: object) -> tuple[Turn, ...] | str:
    """Return the turns of a conversation, which may stand as JSON, or what is wrong with it."""
    try:
        turns = json.loads(cell) if isinstance(cell, str) else cell
    except ValueError:
        turns = None
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        return "this is no list of turns with role and content"
    found = []
    for turn in turns:
        given = str(turn.get("role", turn.get("from", "")))
        role = given.strip().casefold()
        role = _ALIASES.get(role, role)
        if role not in ROLES:
            return f'the role "{given}" is not known: system, user or assistant'
        content = _content(turn.get("content", turn.get("value")))
        if content is None:
            return f"what the {role} says is no text"
        found.append(Turn(role, content))
    return tuple(found)


def _content(content: Any) -> str | None:
    """Return what was said as text; parts of text are joined, parts of other kinds make none."""
    if isinstance(content, list) and all(isinstance(part, Mapping) and "text" in part for part in content):
        return "".join(str(part["text"]) for part in content)
    return content if isinstance(content, str) else None


def compared(record: Record, worse: object) -> Record:
    """Return the record of an answer beside one that was liked less, a text or a conversation that ends with it."""
    if record.fault or worse is None:
        return record
    other = read_conversation(worse) if is_conversation(worse) else Record(record.prompt, str(worse))
    if other.fault:
        return Record(fault=f"the rejected answer: {other.fault}")
    if other.prompt is not None and other.prompt != record.prompt:
        return Record(fault="the two answers are to different prompts")
    if (other.text or "").strip() == (record.text or "").strip():
        return Record(fault="the chosen and the rejected answer are the same")
    return replace(record, worse=other.text if other.text and other.text.strip() else None)


def is_conversation(cell: object) -> bool:
    """Tell whether a cell holds turns rather than plain text."""
    if isinstance(cell, str):
        if not cell.lstrip().startswith("[{"):
            return False
        try:
            cell = json.loads(cell)
        except ValueError:
            return False
    return isinstance(cell, list) and bool(cell) and all(isinstance(turn, Mapping) for turn in cell)


def write_turns(turns: tuple[Turn, ...]) -> str | None:
    """Return turns as a cell; None for none."""
    return json.dumps([[turn.role, turn.content] for turn in turns], ensure_ascii=False) if turns else None


def parse_turns(cell: str) -> tuple[Turn, ...]:
    """Return the turns of a cell that `write_turns` made."""
    return tuple(Turn(role, content) for role, content in json.loads(cell))
