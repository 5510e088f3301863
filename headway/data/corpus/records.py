"""Which cells of a record are the prompt and the text: chats, prompts with completions, Alpaca's, poems, columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from headway.data.inference import check_columns
from headway.errors import DataError

_TEXTS = ("text", "content", "paragraphs", "body", "sentence", "document", "story", "poem", "lyrics",
          "文本", "内容", "正文", "诗句", "句子", "文章")  # fmt: skip
_PROMPTS = ("prompt", "instruction", "question", "query", "提示", "问题", "指令", "上句")
_ANSWERS = ("completion", "output", "response", "answer", "chosen", "回答", "答案", "输出", "下句")
_CHATS = ("messages", "conversations", "conversation")
_ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant"}


@dataclass(frozen=True)
class Layout:
    """How a record becomes a prompt (None where there are none) and a text; `reason` says how that was told."""

    prompt: Callable[[Mapping[str, object]], str | None] | None
    text: Callable[[Mapping[str, object]], str | None]
    columns: tuple[str, ...]
    reason: str


def find_layout(frame: pl.DataFrame, *, target: str | None, inputs: Collection[str] | None, where: str) -> Layout:
    """Return the layout of a table of texts; `target` and `inputs` are the columns that the project names, if it does.

    Raises `DataError` where no column looks like text to learn from.
    """
    names = [name for name in frame.columns if not name.startswith("__")]
    check_columns(names, [target] if target else [], where="target")
    check_columns(names, inputs or (), where="inputs")
    lowered = {name.strip().casefold(): name for name in reversed(names)}
    if target is not None:
        prompts = tuple(name for name in inputs or ())
        return _columns(prompts, target, "as the project file says")
    chat = _first(_CHATS, lowered)
    if chat is not None:
        return Layout(lambda row: _turns(row[chat])[0], lambda row: _turns(row[chat])[1], (chat,), "a chat")
    answer = _first(_ANSWERS, lowered)
    prompt = _first(_PROMPTS, lowered)
    if answer is not None and (prompt is not None or inputs):
        more = [lowered["input"]] if prompt is not None and "input" in lowered else []
        return _columns(tuple(inputs or [str(prompt), *more]), answer, "their names say so")
    text = _first(_TEXTS, lowered) or _longest_text(frame, names)
    if text is None:
        raise DataError(
            "no column holds text to learn from",
            where=where,
            expected="a column of text, prompt and completion, messages, or instruction and output",
            got=", ".join(names),
            fix="name it in the project file: target: COLUMN",
        )
    return _columns(tuple(inputs or ()), text, "the text" if len(names) > 1 else "the only column")


def _columns(prompts: Sequence[str], text: str, reason: str) -> Layout:
    def prompt_of(row: Mapping[str, object]) -> str | None:
        parts = [as_text(row[name]) for name in prompts]
        return "\n".join(part for part in parts if part) or None

    return Layout(prompt_of if prompts else None, lambda row: as_text(row[text]), (*prompts, text), reason)


def as_text(cell: object) -> str | None:
    """Return a cell as text: a list of lines as lines, also where JSON was read as text."""
    if cell is None:
        return None
    if isinstance(cell, str) and cell.startswith("[") and cell.endswith("]"):
        try:
            cell = json.loads(cell)
        except ValueError:
            return str(cell)
    if isinstance(cell, list) and all(isinstance(line, str) for line in cell):
        return "\n".join(cell)
    return str(cell)


def _turns(cell: object) -> tuple[str | None, str | None]:
    """Return the turns before the last answer of a chat, one a line, and that answer; None where there is none."""
    try:
        turns = json.loads(cell) if isinstance(cell, str) else cell
    except ValueError:
        return None, None
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        return None, None
    said = [(_role(turn), turn.get("content", turn.get("value"))) for turn in turns]
    last = max((place for place, (role, _) in enumerate(said) if role == "assistant"), default=None)
    if last is None or not isinstance(said[last][1], str):
        return None, None
    before = [str(words) for _, words in said[:last] if words]
    return "\n".join(before) or None, str(said[last][1])


def _role(turn: Mapping[str, object]) -> str:
    role = str(turn.get("role", turn.get("from", "")))
    return _ROLES.get(role, role)


def _first(known: Sequence[str], names: Mapping[str, str]) -> str | None:
    return next((names[name] for name in known if name in names), None)


def _longest_text(frame: pl.DataFrame, names: Sequence[str]) -> str | None:
    """Return the column of strings with the longest cells, None where none is longer than a word."""
    lengths = {
        name: float(frame[name].str.len_chars().mean() or 0)  # type: ignore[arg-type]
        for name in names
        if frame.schema[name] == pl.String
    }
    longest = max(lengths, key=lengths.__getitem__, default=None)
    return longest if longest is not None and lengths[longest] >= 4 else None
