"""How a base wants its texts: its tokenizer as a feed of the package."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from headway.bases.base import Base
from headway.errors import BaseModelError
from headway.runtime.manifest import TokenFeed


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
