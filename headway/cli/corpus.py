"""Tell text to write like, and pictures to draw like, apart from a table to learn to predict from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headway.errors import DataError

if TYPE_CHECKING:
    from headway.data.corpus.reading import Corpus


def look_for_text(data: str) -> Corpus | None:
    """Return the source as a corpus where it is one: plain text that is no table, chats, prompts with their answers."""
    from headway.data.corpus.reading import is_plain, read_corpus
    from headway.project.schema import Reading

    try:
        wanted = not _is_table(data) if is_plain(data, Path()) else _holds_text(data)
    except DataError:
        return None
    if not wanted:
        return None
    return read_corpus(data, folder=Path(), reading=Reading(), cache=None, max_rejected=0.1)


def look_for_pictures(data: str) -> int | None:
    """Return how many pictures a folder of nothing but pictures holds; None for anything else, classes included."""
    from headway.data.sources.images import read_unlabelled_images

    path = Path(data)
    part = read_unlabelled_images(path) if path.is_dir() else None
    return None if part is None else part.frame.height


def _is_table(data: str) -> bool:
    """Tell whether a file of plain text has columns."""
    from headway.data.reading import read

    if not Path(data).is_file():
        return False
    try:
        rows = read(data).rows
    except DataError:
        return False
    # A single line is no table, whatever stands between its words.
    return rows.width > 2 and rows.height > 1


def _holds_text(data: str) -> bool:
    """Tell whether the columns of the first file say that there is text to be written."""
    from headway.cli.target import is_named_target
    from headway.data.corpus.reading import list_files
    from headway.data.corpus.records import find_purpose
    from headway.data.reading import TABLES, file_kind, read_parts
    from headway.project.schema import Reading

    paths = list_files(data, Path())
    if not paths or file_kind(paths[0]) not in TABLES:
        return False
    frame = read_parts(str(paths[0]), folder=Path(), reading=Reading(), cache=None)[0].frame
    purpose = find_purpose(frame)
    return purpose == "writing" or (purpose == "perhaps" and not any(map(is_named_target, frame.columns)))
