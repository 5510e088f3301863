"""Text cells as token ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from headway.errors import MissingExtraError, PackageError
from headway.runtime.feeds.cells import Cells, column, strings
from headway.runtime.feeds.padding import pad
from headway.runtime.feeds.row_texts import write_rows
from headway.runtime.manifest import RowFeed, TokenFeed

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


# Texts of which the library's own objects, far larger than the ids, are held at a time.
_READ = 4096


@dataclass(frozen=True)
class TokenRows:
    """Texts as token ids: `flat` int64, all rows one after another, row `n` from `starts[n]` on; `lengths` `[rows]`."""

    flat: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def arrays(self, feed: TokenFeed | RowFeed, positions: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Return `{<name>.ids, <name>.mask}`, int64 `[rows, longest]` each, of all rows or those at `positions`."""
        flat, lengths = self.flat, self.lengths
        if positions is not None:
            lengths = lengths[positions]
            flat = np.concatenate([flat[self.starts[row] : self.starts[row] + self.lengths[row]] for row in positions])
        ids = pad(flat, lengths, fill=feed.pad_id)
        mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
        return {f"{feed.name}.ids": ids, f"{feed.name}.mask": mask}


def encode(
    feed: TokenFeed | RowFeed, columns: Mapping[str, Cells], *, files: Mapping[str, bytes], strict: bool = True
) -> dict[str, np.ndarray]:
    """Return `{<name>.ids, <name>.mask}`, int64 `[rows, longest]` each; see `read`."""
    return read(feed, columns, files=files, strict=strict).arrays(feed)


def texts_of(feed: TokenFeed | RowFeed, columns: Mapping[str, Cells], *, strict: bool = True) -> list[str]:
    """Return the texts that a feed reads, without its prefix; a missing cell is an empty text."""
    if isinstance(feed, RowFeed):
        return write_rows(feed, columns, strict=strict)
    return strings(column(columns, feed.columns[0]), feed.columns[0])


def read(
    feed: TokenFeed | RowFeed, columns: Mapping[str, Cells], *, files: Mapping[str, bytes], strict: bool = True
) -> TokenRows:
    """Return the token ids of each text.

    Raises `PackageError` where the tokenizer is missing from `files` or cannot be read, `MissingExtraError` without the
    library that reads it, and where `strict` `InputError` for a cell of a row that cannot be read.
    """
    if feed.tokenizer not in files:
        raise PackageError("a tokenizer is missing", expected=f"the file {feed.tokenizer!r}", where=feed.name)
    tokenizer = open_tokenizer(files[feed.tokenizer], feed.max_length)
    texts = [feed.prefix + text for text in texts_of(feed, columns, strict=strict)]
    parts, lengths = [np.empty(0, np.int64)], np.empty(len(texts), np.int64)
    for start in range(0, len(texts), _READ):
        rows = [encoding.ids for encoding in _encodings(tokenizer, texts[start : start + _READ])]
        own = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        lengths[start : start + len(rows)] = own
        parts.append(np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=int(own.sum())))
    flat = parts[1] if len(parts) == 2 else np.concatenate(parts)
    return TokenRows(flat, np.cumsum(lengths) - lengths, lengths)


@lru_cache(maxsize=8)
def open_tokenizer(content: bytes, max_length: int) -> Tokenizer:
    """Return the tokenizer in `content` (a `tokenizer.json`), cutting at `max_length` tokens and not padding."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError("tokens", purpose="reading texts as tokens") from error
    try:
        tokenizer: Tokenizer = Tokenizer.from_str(content.decode("utf-8"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length)
    except Exception as error:  # the library raises plain Exception
        raise PackageError("a tokenizer cannot be read", expected="a tokenizer.json", got=str(error)[:200]) from error
    return tokenizer


def _encodings(tokenizer: Tokenizer, texts: list[str]) -> list[Encoding]:
    """Return the encodings of `texts`; lone surrogates, which UTF-8 cannot hold, become "?"."""
    try:
        return tokenizer.encode_batch_fast(texts)
    except (TypeError, UnicodeEncodeError):
        return tokenizer.encode_batch_fast([text.encode("utf-8", "replace").decode() for text in texts])
