"""From a source's name to a table of texts: plain text, folders and globs of it, and records of any kind."""

from __future__ import annotations

import glob
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from headway.data.corpus.conversations import Record, write_turns
from headway.data.corpus.pieces import cut
from headway.data.corpus.records import Layout, find_layout
from headway.data.dataset import ROW, Column, Finding, Form, Origin, Table
from headway.data.inference import Guess, Inference
from headway.data.reading import TABLES, check_rejected, file_kind, missing_file, read_parts
from headway.data.sources.part import SHOWN, Part, Reject, rejected_frame
from headway.data.sources.streams import read_utf8
from headway.errors import DataError
from headway.project.schema import Reading

PROMPT, TEXT = "prompt", "text"
# Beside them, for models that know roles and preferences: who said what before the text, and an answer liked less.
TURNS, WORSE = "turns", "worse"
BESIDE = (TURNS, WORSE)
PLAIN = (".txt", ".text", ".md", ".markdown", "")
_NOT_TEXT = ("readme", "licence", "license", "copying", "notice")
# From so many files of text on, each is a text of its own; fewer are one running text.
_MANY_FILES = 50
# Of files that are left aside so many are named.
_NAMED = 3


@dataclass(frozen=True)
class Corpus:
    """A table with the columns `text` and, for answers, `prompt`; what form the text has; how its columns were told.

    Where there are any, it also has `turns` (`conversations.write_turns`) and `worse` (an answer liked less).
    """

    table: Table
    form: Form
    inference: Inference


def read_corpus(
    source: str,
    *,
    folder: Path,
    reading: Reading,
    cache: Path | None,
    max_rejected: float,
    memory: float | None = None,
    target: str | None = None,
    inputs: Collection[str] | None = None,
) -> Corpus:
    """Read a source as texts to learn to write from.

    One file of plain text (or a few) is a stream, cut into pieces in order; many files, and tables, are documents;
    records with a prompt are answers. Raises `DataError` where nothing can be read, and where more than `max_rejected`
    (a share) of the records are unusable.
    """
    paths = list_files(source, folder)
    plain = [path for path in paths or () if file_kind(path) in PLAIN]
    if plain and len(plain) == len(paths or ()):
        check_no_columns(target, inputs, source)
        return _read_plain(plain, reading.encoding)
    sources = [source] if paths is None else [str(path.absolute()) for path in paths if path not in plain]
    parts = [
        part for one in sources for part in read_parts(one, folder=folder, reading=reading, cache=cache, memory=memory)
    ]
    layouts = [find_layout(part.frame, target=target, inputs=inputs, where=part.file) for part in parts]
    corpus = _join(parts, layouts, _left_aside(plain))
    check_rejected(corpus.table, max_rejected, where=source)
    return corpus


def is_plain(source: str, folder: Path) -> bool:
    """Tell whether a source is plain text and nothing else, so that there is nothing else to do than to continue it."""
    paths = list_files(source, folder)
    return bool(paths) and all(file_kind(path) in PLAIN for path in paths or ())


def list_files(source: str, folder: Path) -> list[Path] | None:
    """Return the files of a source in order; None for what is no file (databases, hubs, archives)."""
    if "://" in source or source.startswith("hf:") or "!" in source or source.lower().endswith(".zip"):
        return None
    path = folder / source
    if path.is_dir():
        found = [one for one in sorted(path.rglob("*")) if one.is_file() and _is_corpus(one)]
        if not found:
            expected = f"files such as .txt, {', '.join(TABLES[:6])}"
            raise DataError("nothing to read in the folder", where=str(path), expected=expected, got="none of them")
        return found
    if path.exists():
        return [path]
    if any(mark in source for mark in "*?["):
        found = sorted(Path(one) for one in glob.glob(str(folder / source), recursive=True))  # noqa: PTH207
        if not found:
            raise DataError("no file fits the pattern", where=source, got=f"nothing in {folder}")
        return [one for one in found if one.is_file()]
    raise missing_file(source, path, folder)


def check_no_columns(target: str | None, inputs: Collection[str] | None, source: str) -> None:
    """Raise `DataError` where columns of plain text are asked for."""
    if target is not None or inputs:
        raise DataError(
            "plain text has no columns",
            where="target" if target is not None else "inputs",
            expected=f"nothing: {source} is one running text",
            got=str(target if target is not None else ", ".join(inputs or ())),
            fix="remove it",
        )


def _is_corpus(path: Path) -> bool:
    named = path.stem.lower().startswith(_NOT_TEXT)
    hidden = any(part.startswith(".") for part in path.parts[-2:]) or "__MACOSX" in path.parts
    return not named and not hidden and file_kind(path) in (*PLAIN[:-1], *TABLES)


def _read_plain(paths: Sequence[Path], encoding: str | None) -> Corpus:
    texts = [read_text(path, encoding) for path in paths]
    form: Form = "documents" if len(paths) >= _MANY_FILES else "stream"
    pieces = [[text] if form == "documents" else cut(text) for text in texts]
    rows = [piece for each in pieces for piece in each]
    if not any(piece.strip() for piece in rows):
        raise DataError("there is no text", where=", ".join(map(str, paths[:3])), got="blanks only")
    firsts = np.concatenate([[0], np.cumsum([len(each) for each in pieces])])
    origins = tuple(Origin(str(path), int(first), 1) for path, first in zip(paths, firsts[:-1], strict=True))
    frame = pl.DataFrame({ROW: pl.Series(range(len(rows)), dtype=pl.UInt32), TEXT: rows})
    table = Table(frame, rejected_frame(()), len(rows), origins)
    words = "a text a file" if form == "documents" else "one running text, in pieces"
    return Corpus(table, form, _inference((TEXT,), {TEXT: words}, _broken(rows)))


def read_text(path: Path, encoding: str | None = None) -> str:
    """Return a file's text with newlines as line ends; bytes that are no text become U+FFFD."""
    if path.stat().st_size == 0:
        raise DataError("the file is empty", where=str(path), got="0 bytes")
    text = b"".join(read_utf8(path, encoding)).decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _broken(rows: Sequence[str]) -> tuple[Finding, ...]:
    broken = sum(piece.count("\ufffd") for piece in rows)
    if not broken:
        return ()
    message = f"{broken:,} characters could not be read and stand as U+FFFD: is the file in another encoding?"
    return (Finding("broken_characters", "warning", TEXT, message, {"characters": broken}),)


def _left_aside(plain: Sequence[Path]) -> tuple[Finding, ...]:
    """Tell of plain text beside tables, which has no columns to read it by."""
    if not plain:
        return ()
    names = ", ".join(path.name for path in plain[:_NAMED]) + (", ..." if len(plain) > _NAMED else "")
    message = f"plain text beside tables is not read: {names}"
    return (Finding("left_aside", "warning", None, message, {"files": len(plain)}),)


def _join(parts: Sequence[Part], layouts: Sequence[Layout], findings: tuple[Finding, ...]) -> Corpus:
    numbers: list[int] = []
    records: list[Record] = []
    rejected: list[Reject] = []
    origins, read = [], 0
    for part, layout in zip(parts, layouts, strict=True):
        origins.append(Origin(part.file, read, part.first))
        rejected += part.rejected
        for number, row in zip(part.records.tolist(), part.frame.iter_rows(named=True), strict=True):
            record = layout.read(row)
            if record.fault:
                column = layout.columns[-1]
                rejected.append(Reject(part.file, number, column, record.fault, _shown(row[column])))
                continue
            numbers.append(number - part.first + read)
            records.append(record)
        read += part.read
    has_prompts = any(layout.has_prompts for layout in layouts)
    frame = _frame(numbers, records, has_prompts=has_prompts)
    table = Table(frame, rejected_frame(rejected), read, tuple(origins), sum(part.left_out for part in parts))
    first = layouts[0]
    names = (PROMPT, TEXT) if has_prompts else (TEXT,)
    told = {PROMPT: f"{', '.join(first.columns[:-1]) or first.columns[0]}: {first.reason}"}
    told[TEXT] = f"{first.columns[-1]}: {first.reason}"
    findings += _broken([record.text or "" for record in records])
    return Corpus(table, "answers" if has_prompts else "documents", _inference(names, told, findings))


def _frame(numbers: Sequence[int], records: Sequence[Record], *, has_prompts: bool) -> pl.DataFrame:
    """Return records as rows; columns beside prompt and text are there only where they say something."""
    cells = {
        PROMPT: [record.prompt for record in records],
        TURNS: [write_turns(record.turns) for record in records],
        TEXT: [record.text for record in records],
        WORSE: [record.worse for record in records],
    }
    kept = [name for name in cells if name == TEXT or (name == PROMPT and has_prompts) or any(cells[name])]
    columns = {ROW: pl.Series(numbers, dtype=pl.UInt32)}
    return pl.DataFrame(columns | {name: pl.Series(cells[name], dtype=pl.String) for name in kept})


def _shown(cell: object) -> str | None:
    return None if cell is None else str(cell)[:SHOWN]


def _inference(names: Sequence[str], told: dict[str, str], findings: tuple[Finding, ...]) -> Inference:
    guesses = tuple(Guess(name, "text", told[name], use=True) for name in names)
    return Inference(tuple(Column(name, "text") for name in names), "generate", findings, guesses)
