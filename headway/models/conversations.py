"""Conversations as sequences of tokens, in the very words in which a package will be asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from headway.data.corpus.conversations import parse_turns
from headway.data.corpus.reading import PROMPT, TEXT, TURNS, WORSE
from headway.models.sequences import Sequences
from headway.runtime.generation.prompts import Prompts, pieces_of
from headway.runtime.generation.wishes import Message
from headway.runtime.manifest import Chat, Turn


def plain_chat(end: str) -> Chat:
    """Return how a conversation is written for a base that has no template of its own; `end` ends an answer."""
    heads = {"system": "### System:\n", "user": "### User:\n", "assistant": "### Assistant:\n"}
    closes = {"system": "\n\n", "user": "\n\n", "assistant": f"{end}\n\n"}
    return Chat("", {role: Turn(head, closes[role]) for role, head in heads.items()}, heads["assistant"])


def messages_of(rows: pl.DataFrame, chat: Chat) -> list[list[Message]]:
    """Return what was said before each row's text, in the roles that `chat` knows; empty where nothing was."""
    prompts = rows[PROMPT].to_list() if PROMPT in rows.columns else [None] * rows.height
    cells = rows[TURNS].to_list() if TURNS in rows.columns else [None] * rows.height
    return [_messages(prompt, cell, chat) for prompt, cell in zip(prompts, cells, strict=True)]


def _messages(prompt: str | None, cell: str | None, chat: Chat) -> list[Message]:
    if cell is None:
        return [Message("user", prompt)] if prompt else []
    turns = [Message(turn.role, turn.content) for turn in parse_turns(cell)]  # type: ignore[arg-type]  # one of ROLES
    told = [turn.content for turn in turns if turn.role == "system"]
    rest = [turn for turn in turns if turn.role != "system"]
    if not any(turn.role == "user" for turn in rest):
        # Nobody asks: what stands before the text is taken for the question.
        return [Message("user", "\n".join(turn.content for turn in turns))] if turns else []
    if told and "system" not in chat.roles:
        first = next(place for place, turn in enumerate(rest) if turn.role == "user")
        rest[first] = Message("user", "\n\n".join([*told, rest[first].content]))
        told = []
    return [*([Message("system", "\n\n".join(told))] if told else []), *rest]


def lay_out_talks(
    rows: pl.DataFrame, prompts: Prompts, *, begin: int, end: int, texts: Sequence[str] | None = None
) -> tuple[Sequences, np.ndarray]:
    """Return rows as sequences: a conversation, the text that answers it, and `end`.

    `scored` are the text and its end, which the row is judged by; the bool `[n]` beside says what is learnt from: the
    assistant's earlier answers too. A row that nobody asked for begins with `begin`. `texts`: other answers than the
    rows' own.
    """
    chat = prompts.facts.chat
    assert chat is not None
    answers = rows[TEXT].fill_null("").to_list() if texts is None else texts
    parts, masks, starts = [], [], [0]
    scored = []
    for messages, text in zip(messages_of(rows, chat), answers, strict=True):
        before = list(_asked(prompts, messages)) if messages else [(begin, False)]
        answer = [*prompts.words(text.strip() if chat.trims else text), end]
        parts.append(np.array([*(number for number, _ in before), *answer], np.int32))
        masks.append(np.array([*(mine for _, mine in before), *[True] * len(answer)]))
        scored.append(np.arange(len(before) + len(answer)) >= len(before))
        starts.append(starts[-1] + len(parts[-1]))
    row = np.repeat(np.arange(len(parts)), np.diff(starts)).astype(np.int32)
    return Sequences(np.concatenate(parts), row, np.concatenate(scored), np.array(starts)), np.concatenate(masks)


def _asked(prompts: Prompts, messages: Sequence[Message]) -> Iterator[tuple[int, bool]]:
    """Yield the ids of a conversation that asks for an answer, and whether the assistant said them, its ends too."""
    chat = prompts.facts.chat
    assert chat is not None
    pieces = pieces_of(messages, chat)
    first = 0 if messages[0].role == "system" else 1
    said = {first + 3 * number + 1 for number, message in enumerate(messages) if message.role == "assistant"}
    before = -1
    for number, piece in prompts.placed(pieces):
        ends = piece - 1 in said and before == piece - 1 and number in prompts.facts.end_ids
        yield number, piece in said or ends
        before = piece


def worse_of(rows: pl.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return the places (int64) of rows with an answer that was liked less, and these answers."""
    if WORSE not in rows.columns:
        return np.empty(0, np.int64), []
    cells = rows[WORSE].to_list()
    places = [place for place, cell in enumerate(cells) if cell]
    return np.array(places, np.int64), [cells[place] for place in places]
