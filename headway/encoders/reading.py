"""How a base wants its texts: its tokenizer as a feed of the package."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from headway.bases.base import Base
from headway.data.dataset import Column
from headway.errors import BaseModelError
from headway.runtime.manifest import RowFeed, TokenFeed

# What a row is written of beside its texts, which are read by themselves.
WRITTEN = frozenset({"number", "category", "date"})
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def token_feed(base: Base, column: str) -> TokenFeed:
    """Return the feed that reads `column` as `base` does; equal bases give equal feeds."""
    digest = hashlib.sha256(tokenizer_bytes(base)).hexdigest()[:8]
    reading = hashlib.sha256(f"{digest}|{base.max_length}|{base.prefix}".encode()).hexdigest()[:8]
    return TokenFeed(
        f"tokens:{column}:{reading}",
        (column,),
        tokenizer=f"tokenizer-{digest}.json",
        max_length=base.max_length,
        pad_id=base.pad_id,
        prefix=base.prefix,
    )


def row_feed(base: Base, inputs: Sequence[Column]) -> RowFeed:
    """Return the feed that writes the columns `inputs` as one text and reads it as `base` does.

    Chinese names get Chinese marks between them.
    """
    same = token_feed(base, "")
    columns = tuple(column.name for column in inputs)
    kinds: tuple[Any, ...] = tuple(column.modality for column in inputs)
    is_chinese = 2 * sum(_CJK.search(name) is not None for name in columns) > len(columns)
    digest = hashlib.sha256(repr((columns, kinds, same)).encode()).hexdigest()[:8]
    return RowFeed(
        f"row:{digest}",
        columns,
        kinds,
        colon="：" if is_chinese else ": ",
        comma="，" if is_chinese else "; ",
        tokenizer=same.tokenizer,
        max_length=same.max_length,
        pad_id=same.pad_id,
        prefix=same.prefix,
    )


def text_feeds(base: Base, inputs: Sequence[Column]) -> tuple[TokenFeed | RowFeed, ...]:
    """Return a feed for each text column, and one that writes numbers, categories and dates as a text."""
    texts = [token_feed(base, column.name) for column in inputs if column.modality == "text"]
    others = [column for column in inputs if column.modality in WRITTEN]
    return (*texts, *([row_feed(base, others)] if others else ()))


def tokenizer_files(base: Base) -> dict[str, bytes]:
    """Return the tokenizer under the name that `token_feed` gives it."""
    content = tokenizer_bytes(base)
    return {f"tokenizer-{hashlib.sha256(content).hexdigest()[:8]}.json": content}


def tokenizer_bytes(base: Base) -> bytes:
    """Return the base's `tokenizer.json`; raises `BaseModelError` where it has none that can be read."""
    return _read(base.folder / "tokenizer.json")


@lru_cache(maxsize=4)
def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        json.loads(content)
    except (OSError, ValueError) as error:
        raise BaseModelError(
            "the tokenizer of the base model cannot be read",
            where=str(path),
            expected="a file tokenizer.json of the tokenizers library",
            got=str(error)[:200],
            fix="download the model again, or name another `base`",
        ) from error
    return content
