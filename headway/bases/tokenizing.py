"""The tokenizer of a text model: read, and its padding settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headway.bases.base import Base
from headway.bases.sentence import read_json
from headway.errors import BaseModelError, MissingExtraError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER = "tokenizer.json"
# Files from which Transformers builds a tokenizer where there is no tokenizer.json.
SLOW = ("vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model", "spm.model")
_ALPHABETS = {"zh": ("\u4e00", "\u9fff"), "ko": ("\uac00", "\ud7a3"), "ru": ("\u0400", "\u04ff")}
_MANY = 1500  # characters of a script from which on a vocabulary knows it
_LARGE = 60_000  # tokens


@dataclass(frozen=True)
class Padding:
    """The id that fills a batch, and a note where it had to be chosen."""

    id: int
    note: str = ""


def read_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer of a folder; raises `BaseModelError` where it is not there or broken."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError("deep", purpose="a base model for texts") from error
    path = folder / TOKENIZER
    if not path.is_file():
        raise BaseModelError(
            "the tokenizer is missing", where=str(folder), expected=f"{TOKENIZER}, or one of {', '.join(SLOW)}"
        )
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        raise BaseModelError(
            "the tokenizer cannot be read", where=str(path), got=str(error)[:200], fix="fetch or copy it again"
        ) from None


def check_tokens(tokenizer: Tokenizer, rows: int, *, where: Path) -> None:
    """Raise `BaseModelError` where the tokenizer gives ids beyond the `rows` of the table of tokens; 0: none is known.

    A text with such a token would end whatever asks for it, in production too.
    """
    beyond = sorted((id_, token) for token, id_ in tokenizer.get_vocab().items() if id_ >= rows)
    if rows and beyond:
        raise BaseModelError(
            "the tokenizer knows tokens that the model has no vectors for",
            where=str(where),
            expected=f"ids below {rows}, as many as the table of tokens has rows",
            got=f"{len(beyond)} others: {', '.join(f'{token} ({id_})' for id_, token in beyond[:3])}",
            fix="take the tokenizer that the model was saved with",
        )


def settle_padding(folder: Path, tokenizer: Tokenizer, config_pad: object) -> Padding:
    """Return what fills a batch: the padding token, else the id the configuration names, else the end token, else 0.

    Padded places are masked, so the choice changes no result; it is told all the same.
    """
    settings = {**read_json(folder / "special_tokens_map.json"), **read_json(folder / "tokenizer_config.json")}
    named = _find_id(tokenizer, settings.get("pad_token"))
    if named is not None:
        return Padding(named)
    if isinstance(config_pad, int) and 0 <= config_pad < tokenizer.get_vocab_size():
        return Padding(config_pad)
    end = _find_id(tokenizer, settings.get("eos_token"))
    if end is not None:
        token = tokenizer.id_to_token(end)
        return Padding(end, f"the tokenizer has no padding token: its end token {token} fills the batches")
    return Padding(0, "the tokenizer has no padding token: token 0, masked, fills the batches")


def guess_languages(tokenizer: Tokenizer) -> tuple[str, ...]:
    """Return the languages that a vocabulary seems made for: many, Chinese, or English."""
    single = {token.strip("#▁Ġ") for token in tokenizer.get_vocab()}
    counts = {code: sum(len(t) == 1 and low <= t <= high for t in single) for code, (low, high) in _ALPHABETS.items()}
    if counts["zh"] < _MANY:
        return ("en",)
    return ("multi",) if tokenizer.get_vocab_size() >= _LARGE else ("zh",)


def _find_id(tokenizer: Tokenizer, token: Any) -> int | None:
    word = token.get("content") if isinstance(token, dict) else token
    found: int | None = tokenizer.token_to_id(word) if isinstance(word, str) else None
    return found


def share_over_window(base: Base, texts: Sequence[str], *, most: int = 300) -> float:
    """Return the share of (at most `most` of) the texts that are cut because they have more tokens than are read."""
    step = max(1, len(texts) // most)
    sample = [base.prefix + text for text in texts[::step][:most]]
    # A token has a letter at the least: shorter texts need not be looked at.
    long = [text for text in sample if len(text.encode()) > base.max_length]
    if not long:
        return 0.0
    tokenizer = read_tokenizer(base.folder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return sum(len(found.ids) > base.max_length for found in tokenizer.encode_batch(long)) / len(sample)
