"""Verse: lines of one length, such as five or seven characters, each closed by a punctuation mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MARKS = frozenset("，。！？；：、,.!?;:")
_CLOSING = frozenset("。！？.!?")
_NEW_LINE = "\n"


@dataclass(frozen=True)
class Alphabet:
    """What each token is, bool `[vocabulary]`: one letter, a mark, a mark that may end a text, a new line, an end."""

    letters: np.ndarray
    marks: np.ndarray
    new_line: np.ndarray
    ends: np.ndarray
    texts: tuple[str, ...]


def read_alphabet(tokenizer: Tokenizer, end_ids: Sequence[int], vocabulary: int) -> Alphabet:
    """Return what the tokens of a tokenizer of characters are; bytes and pieces of words are none of it."""
    texts = [tokenizer.id_to_token(number) or "" for number in range(vocabulary)]
    single = [len(text) == 1 for text in texts]
    marks = np.array([text in MARKS for text in texts])
    new_line = np.array([text == _NEW_LINE for text in texts])
    blank = np.array([alone and text.isspace() for alone, text in zip(single, texts, strict=True)])
    ends = np.zeros(vocabulary, np.bool_)
    ends[list(end_ids)] = True
    return Alphabet(np.array(single) & ~marks & ~blank & ~ends, marks, new_line, ends, tuple(texts))


class Verse:
    """Keeps a text to the form (a `Grammar`); a text that begins in another form is left as it is.

    The first line may have any of `lengths`, and the others have as many letters as it. A text may end after a closing
    mark, from the second line on.
    """

    def __init__(self, lengths: Sequence[int], alphabet: Alphabet, begun: Sequence[int] = ()) -> None:
        """Begin after the tokens `begun`."""
        self._lengths, self._alphabet = tuple(lengths), alphabet
        self._letters, self._lines, self._last = 0, 0, _NEW_LINE
        self._length: int | None = None
        self._is_free = False
        for token in begun:
            self.take(token)

    @property
    def is_over(self) -> bool:
        """Tell that the model itself says when a text is over."""
        return False

    def allowed(self) -> np.ndarray:
        """Return which tokens keep the form."""
        known = self._alphabet
        if self._is_free:
            return np.ones(len(known.texts), np.bool_)
        if self._letters:
            return self._inside()
        found = known.letters.copy()
        if self._last in MARKS:
            found |= known.new_line
        if self._lines >= 2 and (self._last in _CLOSING or self._last == _NEW_LINE):
            found |= known.ends
        return found

    def _inside(self) -> np.ndarray:
        """Return what may follow within a line: letters up to its length, and then a mark."""
        longest = self._length or max(self._lengths)
        found = self._alphabet.letters.copy() if self._letters < longest else np.zeros_like(self._alphabet.letters)
        closes = self._letters == self._length if self._length else self._letters in self._lengths
        return found | self._alphabet.marks if closes else found

    def take(self, token: int) -> None:
        """Go on past a token."""
        known = self._alphabet
        if self._is_free or known.ends[token]:
            return
        # Where the form is broken already, nothing is left to keep.
        self._is_free = not self.allowed()[token]
        if known.letters[token]:
            self._letters += 1
        elif known.marks[token]:
            self._length = self._length or self._letters
            self._letters, self._lines = 0, self._lines + 1
        self._last = known.texts[token]
