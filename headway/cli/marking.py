"""The mark by which a spreadsheet knows UTF-8; without it a file is read in the encoding of its country."""

from __future__ import annotations

import codecs
import shutil
from pathlib import Path

import polars as pl

from headway.compute.drafts import whole_file

MARK = codecs.BOM_UTF8
_WORDS = pl.selectors.by_dtype(pl.String, pl.Categorical, pl.Enum)


def needs_mark(frame: pl.DataFrame) -> bool:
    """Tell whether names or texts of a table are not all ASCII, which reads the same in any encoding."""
    words = _WORDS.cast(pl.String)
    plain = frame.select((words.str.len_bytes() == words.str.len_chars()).all())
    return not (all(name.isascii() for name in frame.columns) and all(plain.rows()[0] if plain.width else ()))


def add_mark(file: Path) -> None:
    """Put the mark before a file that is written already."""
    with whole_file(file) as draft, file.open("rb") as source, draft.open("wb") as marked:
        marked.write(MARK)
        shutil.copyfileobj(source, marked, 2**20)
