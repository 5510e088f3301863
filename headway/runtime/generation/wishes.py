"""What is asked of a generator, and what comes back piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from headway.errors import InputError

Role = Literal["system", "user", "assistant"]
# "stop": the model ended or a stop string came; "length": max_tokens or the window; "cancelled": nobody waits.
Finish = Literal["stop", "length", "cancelled"]
_HOTTEST = 2.0
MOST_CHANCES = 20


@dataclass(frozen=True)
class Constraint:
    """A form that an answer keeps, for engines that hold answers to it themselves.

    A JSON schema or a regular expression, as llguidance reads them.
    """

    kind: Literal["json", "regex"]
    text: str


class Grammar(Protocol):
    """Tells which tokens may come next; one for each answer."""

    def allowed(self) -> np.ndarray:
        """Return bool `[vocabulary]`."""

    def take(self, token: int) -> None:
        """Go on past a token that was chosen."""

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more may come but the end."""

    def constraint(self) -> Constraint | None:
        """Return what may still come as one form, None where anything may."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Wish:
    """How an answer shall be written; raises `InputError` for what cannot be.

    `temperature` 0 takes the likeliest token always; `top_p` keeps the likeliest tokens that have this share together
    (Holtzman et al. 2020, section 3.1); the same `seed` gives the same answer, None another each time; the text ends
    before the first of `stop`; `chances`: how many of the likeliest tokens are told with each, None for none at all.
    """

    max_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: Sequence[str] = ()
    chances: int | None = None
    grammar: Grammar | None = None

    def __post_init__(self) -> None:
        """Check the figures."""
        wrong = {
            "max_tokens": ("1 or more", self.max_tokens, self.max_tokens >= 1),
            "temperature": (f"0 to {_HOTTEST:g}", self.temperature, 0 <= self.temperature <= _HOTTEST),
            "top_p": ("above 0, at most 1", self.top_p, 0 < self.top_p <= 1),
            "seed": ("0 or more", self.seed, self.seed is None or self.seed >= 0),
            "stop": ("texts that are not empty", list(self.stop), all(self.stop)),
            "chances": (f"0 to {MOST_CHANCES}", self.chances, 0 <= (self.chances or 0) <= MOST_CHANCES),
        }
        for name, (expected, got, is_right) in wrong.items():
            if not is_right:
                raise InputError("the text cannot be written so", where=name, expected=expected, got=str(got))


@dataclass(frozen=True)
class Chance:
    """A token, its text, and the logarithm of its probability before temperature and top_p; `others` the likeliest.

    `raw`: the bytes of the token, which may be a part of a character; the text then has U+FFFD for it.
    """

    id: int
    text: str
    raw: bytes
    logprob: float
    others: tuple[Chance, ...] = ()


@dataclass(frozen=True)
class Piece:
    """What one step added to an answer; the text holds whole characters only and may be empty.

    `tokens`: how many the answer has so far; `finish` None while more may come.
    """

    text: str
    tokens: int
    finish: Finish | None = None
    chances: tuple[Chance, ...] = ()
