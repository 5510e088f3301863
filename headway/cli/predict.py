"""`headway predict`: answers to every row of a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import Language, choose_language, say, say_count

if TYPE_CHECKING:
    import polars as pl

    from headway.data.sources.part import Reject
    from headway.runtime import Model

_SHOWN = 5


def predict(
    package: Annotated[
        Path,
        typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run: runs/x/latest."),
    ],
    file: Annotated[str, typer.Argument(metavar="FILE", help="The rows: whatever `data:` of a project may name.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write: .csv, .tsv, .jsonl or .parquet; CSV on the terminal without it."),
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Keep every column of FILE and add the prediction, its confidence and the probability of each label."""
    from headway import runtime
    from headway.cli.answers import write_answers
    from headway.cli.history import follow
    from headway.cli.places import find_package
    from headway.project.units import write_seconds

    model, language = runtime.load(find_package(package)), choose_language(lang)
    began, rejects = time.monotonic(), _Rejects()
    unpacked = _unpack(file)
    batches = _read_batches(file, model, rejects)
    hidden: tuple[str, ...] = ()
    if model.memory is not None:
        sequel = follow(batches, model)
        batches, hidden = iter(sequel.batches), sequel.added
        for words in sequel.describe(language):
            typer.echo(words, err=True)
    written = write_answers(batches, model, out, unpacked=unpacked, hidden=hidden)
    if written.unread.count:
        unread = written.unread.count
        words = say("predict:unread", language).format(cells=say_count(unread, "cell", language))
        typer.echo(words, err=True)
    for cell in written.unread.first:
        typer.echo(f"  {cell.describe(language)}", err=True)
    for words in rejects.describe(language):
        shown = words if unpacked is None else words.replace(f"{unpacked}/", "")
        typer.echo(say("predict:rejected", language).format(words=shown), err=True)
    if rejects.count:
        words = say("predict:kept", language)
        records = say_count(rejects.count, "record", language)
        typer.echo(words.format(records=records), err=True)
    if out is not None:
        took, rows = write_seconds(time.monotonic() - began), say_count(written.rows, "row", language)
        words = say("predict:done", language).format(rows=rows, time=took, path=out)
        typer.echo(words, err=True)


@dataclass
class _Rejects:
    """How many records could not be read, and file, row and reason of the first few of them."""

    count: int = 0
    first: list[tuple[str, int, str]] = field(default_factory=list)

    def take(self, reject: Reject) -> None:
        """Count a record that the streaming reader set aside."""
        self.add(reject.file, reject.row, reject.reason)

    def add(self, file: str, row: int, reason: str) -> None:
        """Count a record and keep the first few."""
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append((file, row, reason))

    def describe(self, language: Language) -> list[str]:
        """Return the first few records in words."""
        from headway.report.translation import translate

        words = say("predict:place", language)
        return [words.format(file=file, row=row, reason=translate(why, language)) for file, row, why in self.first]


def _unpack(file: str) -> Path | None:
    """Return the folder into which a zip archive is unpacked for this process, or None for anything else."""
    from headway.data.sources.archives import unpack

    archive = Path(file) if Path(file).exists() else Path(file.partition("!")[0])
    return unpack(archive, cache=None) if archive.is_file() and archive.suffix.lower() == ".zip" else None


def _read_batches(file: str, model: Model, rejects: _Rejects) -> Iterator[pl.DataFrame]:
    """Yield the rows in constant memory where the format allows it; images and databases are listed whole."""
    from headway.data.reading import TABLES, file_kind, read
    from headway.data.sources.images import read_unlabelled_images
    from headway.data.streaming import rows_in_place, scan_batches, with_rejected

    path = Path(file)
    has_images = any(column.modality == "image" for column in model.manifest.inputs)
    unlabelled = read_unlabelled_images(path) if has_images else None
    if unlabelled is not None:
        for reject in unlabelled.rejected:
            rejects.take(reject)
        yield from with_rejected(unlabelled).iter_slices(10_000)
        return
    if path.is_file() and not has_images and file_kind(path) in TABLES and not file_kind(path).startswith(".xls"):
        yield from scan_batches(path, on_reject=rejects.take)
        return
    table = read(file, max_rejected=1.0)
    for row in table.rejected.select("file", "row", "reason").iter_rows():
        rejects.add(*row)
    yield from rows_in_place(table).iter_slices(10_000)
