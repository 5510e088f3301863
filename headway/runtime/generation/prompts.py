"""Prompts and conversations as token ids.

Words of a user never become special tokens: only what the package itself puts around them does, so that nobody can play
another role by writing its marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from headway.errors import InputError, MissingExtraError, PackageError
from headway.runtime.generation.spelling import Spelling
from headway.runtime.generation.verse import Alphabet, read_alphabet
from headway.runtime.generation.wishes import Message
from headway.runtime.manifest import Chat, Generation

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


Prompt = str | Sequence[Message]


class Prompts:
    """Turns texts and conversations into ids, as one package wants them."""

    def __init__(self, content: bytes, facts: Generation) -> None:
        """Open the tokenizer (a `tokenizer.json`)."""
        self.facts, self.tokenizer = facts, open_writer(content)
        added = self.tokenizer.get_added_tokens_decoder().items()
        self._numbers = {token.content: number for number, token in added if token.special}
        longest_first = sorted(self._numbers, key=len, reverse=True)
        self._marks = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")") if longest_first else None

    @cached_property
    def alphabet(self) -> Alphabet:
        """What each token is to verse."""
        return read_alphabet(self.tokenizer, self.facts.end_ids, self.tokenizer.get_vocab_size())

    @cached_property
    def spelling(self) -> Spelling:
        """The bytes of each token."""
        return Spelling(self.tokenizer)

    def ids_of(self, prompt: Prompt) -> list[int]:
        """Return the ids of a text to be continued, or of a conversation; raises `InputError`."""
        return self.text(prompt) if isinstance(prompt, str) else self.conversation(prompt)

    def text(self, text: str) -> list[int]:
        """Return the ids of a text to be continued; raises `InputError` for an empty one without a begin token."""
        ids = ([] if self.facts.begin_id is None else [self.facts.begin_id]) + self._encode(text)
        if not ids:
            raise InputError("the prompt is empty", expected="one character or more", fix="write how the text begins")
        return ids

    def conversation(self, messages: Sequence[Message]) -> list[int]:
        """Return the ids of a conversation that asks for an answer; raises `InputError` where it makes no sense."""
        chat = self.facts.chat
        if chat is None:
            raise InputError(
                "this package continues texts and holds no conversations", expected="a prompt", got="messages",
                fix="use /v1/completions, or package a model with a chat template",
            )  # fmt: skip
        check_messages(messages, chat)
        return [number for number, _ in self.placed(pieces_of(messages, chat))]

    def placed(self, pieces: Sequence[tuple[str, bool]]) -> Iterator[tuple[int, int]]:
        """Yield the ids of pieces (text, whether marks in it count), each with the piece in which it begins.

        What lies between two marks is read as one text, so that it does not matter where pieces join.
        """
        plain, ends = "", list[tuple[int, int]]()
        for number, (text, has_marks) in enumerate(pieces):
            for place, part in enumerate(self._marks.split(text) if has_marks and self._marks else [text]):
                if place % 2 == 0:
                    plain += part
                    ends.append((len(plain), number))
                    continue
                yield from self._located(plain, ends)
                plain, ends = "", []
                yield self._numbers[part], number
        yield from self._located(plain, ends)

    def words(self, text: str) -> list[int]:
        """Return the ids of a text as it stands, nothing before it."""
        return self._encode(text)

    def encoded(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the ids of texts as they stand, int32 `[length]` each."""
        try:
            found = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        except (TypeError, UnicodeEncodeError):  # lone surrogates in one of them
            return [np.array(self._encode(text), np.int32) for text in texts]
        return [np.array(each.ids, np.int32) for each in found]

    def _located(self, text: str, ends: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        if text:
            found = self._read(text)
            for number, (start, _) in zip(found.ids, found.offsets, strict=True):
                yield number, next((piece for end, piece in ends if start < end), ends[-1][1])

    def _encode(self, text: str) -> list[int]:
        return list(self._read(text).ids) if text else []

    def _read(self, text: str) -> Encoding:
        try:
            return self.tokenizer.encode(text, add_special_tokens=False)
        except (TypeError, UnicodeEncodeError):  # lone surrogates, which UTF-8 cannot hold
            return self.tokenizer.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False)


def pieces_of(messages: Sequence[Message], chat: Chat) -> list[tuple[str, bool]]:
    """Return a conversation as texts in order, and whether each is the package's own."""
    pieces = [] if messages and messages[0].role == "system" else [(chat.start, True)]
    for message in messages:
        turn = chat.roles[message.role]
        content = message.content.strip() if chat.trims else message.content
        pieces += [(turn.before, True), (content, False), (turn.after, True)]
    return [*pieces, (chat.answer, True)]


def check_messages(messages: Sequence[Message], chat: Chat) -> None:
    """Raise `InputError` where a conversation has no words of a user, or a role that the package does not know."""
    for number, message in enumerate(messages):
        if message.role not in chat.roles:
            raise InputError("the package does not know this role", where=f"messages[{number}].role",
                             expected=", ".join(chat.roles), got=message.role)  # fmt: skip
        if message.role == "system" and number:
            raise InputError("a system message stands first or not at all", where=f"messages[{number}].role",
                             expected="user or assistant", got="system")  # fmt: skip
    if not any(message.role == "user" for message in messages):
        raise InputError("nobody asks anything", where="messages", expected="one message of a user or more")


def open_writer(content: bytes) -> Tokenizer:
    """Return the tokenizer in `content`, which takes marks in a text for plain words."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError("tokens", purpose="writing text") from error
    try:
        tokenizer: Tokenizer = Tokenizer.from_str(content.decode("utf-8"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        tokenizer.encode_special_tokens = True
    except Exception as error:  # the library raises plain Exception
        raise PackageError("a tokenizer cannot be read", expected="a tokenizer.json", got=str(error)[:200]) from error
    return tokenizer
