"""Text to be written: a model of which text comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headway.data.dataset import Form


@dataclass(frozen=True)
class Generate:
    """Continue a text; a target is the characters of a row, float32 `[rows]`.

    An answer is float32 `[rows, 2]`: the negative log likelihood of the row's text in nats, the end of a document
    included, and the number of tokens that it was taken over.
    """

    form: Form = "documents"
    kind: Literal["generate"] = "generate"

    @property
    def width(self) -> int:
        """Return the figures of an answer."""
        return 2

    @property
    def outputs(self) -> dict[str, int]:
        """Return nothing: a graph that writes is no graph of answers."""
        return {}
