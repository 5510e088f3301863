"""Which cells of a record are the prompt and the text: chats, prompts with completions, Alpaca's, pairs, columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from headway.data.corpus.conversations import (
    Record,
    Turn,
    answered,
    compared,
    is_conversation,
    read_conversation,
    read_turns,
)
from headway.data.inference import check_columns, guess_column
from headway.errors import DataError

_TEXTS = ("text", "content", "paragraphs", "body", "sentence", "document", "story", "poem", "lyrics",
          "文本", "内容", "正文", "诗句", "句子", "文章")  # fmt: skip
_PROMPTS = ("prompt", "instruction", "question", "query", "提示", "问题", "指令", "上句", "input")
_ANSWERS = ("completion", "output", "response", "answer", "chosen", "回答", "答案", "输出", "下句")
_CHATS = ("messages", "conversations", "conversation")
_SYSTEM, _WORSE = ("system", "system_prompt"), ("rejected",)
# Of these names the ones that nobody gives to a column of labels; what else an answer or a text is, its cells tell.
_ORDERS = frozenset({"prompt", "instruction", "提示", "指令", "上句"})
_WRITTEN = frozenset({"completion", "response", "chosen", "下句"})
_WORKS = ("paragraphs", "story", "poem", "lyrics", "诗句")


@dataclass(frozen=True)
class Layout:
    """How a row becomes a record; `columns` are those it reads, the text last; `reason` says how that was told."""

    read: Callable[[Mapping[str, object]], Record]
    columns: tuple[str, ...]
    reason: str
    has_prompts: bool = False


def find_layout(frame: pl.DataFrame, *, target: str | None, inputs: Collection[str] | None, where: str) -> Layout:
    """Return the layout of a table of texts; `target` and `inputs` are the columns that the project names, if it does.

    Raises `DataError` where no column looks like text to learn from.
    """
    names = [name for name in frame.columns if not name.startswith("__")]
    check_columns(names, [target] if target else [], where="target")
    check_columns(names, inputs or (), where="inputs")
    lowered = {name.strip().casefold(): name for name in reversed(names)}
    system, worse = _first(_SYSTEM, lowered), _first(_WORSE, lowered)
    if target is not None:
        prompts = tuple(name for name in inputs or ())
        beside = worse if worse not in (*prompts, target) and target == lowered.get("chosen") else None
        return _columns(prompts, target, "as the project file says", worse=beside)
    chat = _first(_CHATS, lowered)
    if chat is not None:
        return Layout(lambda row: read_conversation(row[chat]), (chat,), "a chat", has_prompts=True)
    answer = _first(_ANSWERS, lowered)
    prompt = _first(_PROMPTS, lowered)
    if answer is not None and (prompt is not None or inputs):
        more = [lowered["input"]] if prompt is not None and "input" in lowered else []
        named = tuple(inputs or dict.fromkeys([str(prompt), *more]))
        pair = worse if answer == lowered.get("chosen") else None
        return _columns(named, answer, "their names say so", system=None if inputs else system, worse=pair)
    if worse is not None and "chosen" in lowered:
        return _columns((), lowered["chosen"], "pairs of conversations", worse=worse)
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


def find_purpose(frame: pl.DataFrame) -> Literal["writing", "perhaps", "none"]:
    """Tell whether a table of no known purpose holds texts to be written, by the names of its columns.

    "perhaps": unless another column is there to be predicted.
    """
    lowered = {name.strip().casefold(): name for name in reversed(frame.columns) if not name.startswith("__")}
    chat, answer, prompt = (_first(known, lowered) for known in (_CHATS, _ANSWERS, _PROMPTS))
    if chat is not None and any(map(is_conversation, frame[chat].head(100))):
        return "writing"
    if answer is not None and prompt is not None:
        if prompt.strip().casefold() in _ORDERS or answer.strip().casefold() in _WRITTEN:
            return "writing"
        return "perhaps" if guess_column(frame[answer]).modality == "text" else "none"
    if "chosen" in lowered and _first(_WORSE, lowered) is not None:
        return "writing"
    works = _WORKS if len(lowered) > 1 else _TEXTS
    return "none" if _first(works, lowered) is None else "perhaps"


def _columns(
    prompts: Sequence[str], text: str, reason: str, *, system: str | None = None, worse: str | None = None
) -> Layout:
    """Return the layout of columns; a cell of any of them may hold turns instead of a text."""

    def read(row: Mapping[str, object]) -> Record:
        before = _before([row[name] for name in prompts], None if system is None else row[system])
        if isinstance(before, str):
            return Record(fault=before)
        if is_conversation(row[text]):
            record = read_conversation(row[text])
            turns = record.turns or ((Turn("user", record.prompt),) if record.prompt else ())
            record = record if record.fault or not before else answered((*before, *turns), record.text)
        else:
            record = answered(before, as_text(row[text]))
        if worse is not None and record.prompt is None and not record.fault:
            return Record(fault="there is no prompt beside the chosen and the rejected answer")
        return record if worse is None else compared(record, row[worse])

    columns = (*prompts, *(() if system is None else (system,)), text)
    return Layout(read, columns, reason, has_prompts=bool(prompts) or worse is not None)


def _before(cells: Sequence[object], system: object) -> tuple[Turn, ...] | str:
    """Return the turns before an answer, or what is wrong with them."""
    told = as_text(system)
    first = (Turn("system", told),) if told and told.strip() else ()
    if len(cells) == 1 and is_conversation(cells[0]):
        turns = read_turns(cells[0])
        return turns if isinstance(turns, str) else (*first, *turns)
    asked = "\n".join(part for part in map(as_text, cells) if part)
    return (*first, Turn("user", asked)) if asked else first


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
