"""Tokens become text while they come: whole characters only, and nothing that may be the start of a stop string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class TextStream:
    """The text of one answer under way; special tokens are not shown."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str] = ()) -> None:
        """Begin with nothing; `stop` are texts before the first of which the answer ends."""
        from tokenizers.decoders import DecodeStream

        self._tokenizer, self._stop = tokenizer, tuple(stop)
        self._stream = DecodeStream(skip_special_tokens=True)
        self._held = ""
        self.is_stopped = False

    def add(self, token: int) -> str:
        """Return the text that is sure to be shown once this token has come."""
        self._held += self._decode(token)
        cut = min((place for text in self._stop if (place := self._held.find(text)) >= 0), default=None)
        if cut is not None:
            self.is_stopped = True
            shown, self._held = self._held[:cut], ""
            return shown
        keep = max((_overlap(self._held, text) for text in self._stop), default=0)
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown

    def _decode(self, token: int) -> str:
        """Return the characters that this token completes; bytes that make none are left out."""
        from tokenizers.decoders import DecodeStream

        try:
            return self._stream.step(self._tokenizer, token) or ""
        except Exception:  # noqa: BLE001 - the library raises plain Exception where a character can come no more
            self._stream = DecodeStream(skip_special_tokens=True)
            return self._stream.step(self._tokenizer, token) or ""

    def finish(self) -> str:
        """Return what was still held back; half a character is dropped."""
        rest, self._held = self._held, ""
        return rest


def _overlap(text: str, stop: str) -> int:
    """Return how many of the last characters of `text` may begin `stop`."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
