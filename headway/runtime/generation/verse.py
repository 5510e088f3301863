"""Verse: lines of one length, such as five or seven characters, each closed by a punctuation mark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.runtime.generation.wishes import Constraint

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MARKS = frozenset("，。！？；：、,.!?;:")
_CLOSING = frozenset("。！？.!?")
_NEW_LINE = "\n"
# Lines of a text at least.
_FEWEST = 2
# The same as regular expressions: a letter, a mark, and what a last line ends with.
_MARK, _CLOSE = (f"[{re.escape(''.join(sorted(marks)))}]" for marks in (MARKS, _CLOSING))
_LETTER = rf"[^\s{re.escape(''.join(sorted(MARKS)))}]"
_END = rf"(?:{_CLOSE}\n?|{_MARK}\n)"


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
        if self._lines >= _FEWEST and (self._last in _CLOSING or self._last == _NEW_LINE):
            found |= known.ends
        return found

    def _inside(self) -> np.ndarray:
        """Return what may follow within a line: letters up to its length, and then a mark."""
        longest = self._length or max(self._lengths)
        found = self._alphabet.letters.copy() if self._letters < longest else np.zeros_like(self._alphabet.letters)
        closes = self._letters == self._length if self._length else self._letters in self._lengths
        return found | self._alphabet.marks if closes else found

    def constraint(self) -> Constraint | None:
        """Return what may still come as a regular expression, None where the form is broken already."""
        if self._is_free:
            return None
        lengths = [size for size in self._possible() if size >= self._letters]
        return Constraint("regex", "|".join(f"(?:{self._rest(size)})" for size in lengths))

    def _possible(self) -> Sequence[int]:
        return self._lengths if self._length is None else (self._length,)

    def _rest(self, size: int) -> str:
        """Return what may still come where every line has `size` letters."""
        if self._letters:  # within a line, which is closed first
            begun = f"{_LETTER}{{{size - self._letters}}}"
            further = f"{begun}{_MARK}\\n?{_lines(size)}"
            return f"{further}|{begun}{_END}" if self._lines else further
        if self._lines < _FEWEST:
            return self._break() + _lines(size, more="*" if self._lines else "+")
        if self._last == _NEW_LINE:
            return f"(?:{_lines(size)})?"
        over = "\\n?" if self._last in _CLOSING else "\\n"
        return f"{self._break()}{_lines(size)}|{over}"

    def _break(self) -> str:
        return "\\n?" if self._last in MARKS else ""

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


def _lines(size: int, *, more: str = "*") -> str:
    """Return a last line of `size` letters as a regular expression, and as many before it as `more` says."""
    line = f"{_LETTER}{{{size}}}"
    return f"(?:{line}{_MARK}\\n?){more}{line}{_END}"
