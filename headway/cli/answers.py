"""Answers to a file of any length: its columns and ours, batch by batch, in the format the name asks for."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl

from headway.cli.marking import MARK, add_mark, needs_mark
from headway.cli.unread import Unread, find_unread
from headway.data.dataset import ROW
from headway.data.reading import blank_missing
from headway.data.sources.part import REASON
from headway.errors import InputError
from headway.project.schema import Reading
from headway.runtime import Answers, Model
from headway.runtime.feeds import BadCellError
from headway.runtime.feeds.lacking import missing_columns
from headway.runtime.manifest import Label, Manifest, name_for

Sink = Callable[[pl.DataFrame], None]
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_PLACE = "__place__"
# What the readers call the columns of a file whose first line is a row like any other.
_NAMELESS = re.compile(r"column_\d+")


@dataclass(frozen=True)
class Written:
    """How many rows were written, and the cells of them that could not be read and count as missing."""

    rows: int
    unread: Unread


def write_answers(
    batches: Iterable[pl.DataFrame],
    model: Model,
    out: Path | None,
    *,
    unpacked: Path | None = None,
    hidden: Sequence[str] = (),
) -> Written:
    """Write every batch with its answers to `out`, or as CSV to the standard output.

    Memory does not grow with the rows. A cell that cannot be read counts as missing, as it does in training. A row with
    a reason in the column `REASON` is written in its place without an answer. Paths of images below the folder
    `unpacked` are written as names in the archive, and the columns `hidden` not at all. Raises `InputError` where the
    rows lack an input column of the package, or already have a column that would be added.
    """
    rows, unread = 0, Unread()
    with open_sink(out) as sink:
        for batch in batches:
            answered, bad = answer_batch(batch, model)
            unread = unread.add(bad.after(rows))
            answered = answered.drop(hidden)
            sink(answered if unpacked is None else name_members(answered, unpacked))
            rows += batch.height
    return Written(rows, unread)


def answer_batch(batch: pl.DataFrame, model: Model) -> tuple[pl.DataFrame, Unread]:
    """Return the batch with its answers, and its cells that count as missing; rejected rows have no answer."""
    places = pl.Series(_PLACE, range(batch.height), pl.Int64)
    kept = batch[REASON].is_null() if REASON in batch.columns else pl.repeat(value=True, n=batch.height, eager=True)
    rows = batch.drop(REASON, strict=False)
    good, rejected = rows.filter(kept), rows.filter(~kept)
    unread = Unread()
    try:
        answers = predict_rows(model, good)
    except BadCellError as error:
        unread = find_unread(select_inputs(model, good), model.manifest, error, places=places.filter(kept).to_list())
        answers = predict_rows(model, good, strict=False)
    answered = add_answers(good, answers, model.manifest)
    if rejected.height:
        pieces = [answered.with_columns(places.filter(kept)), rejected.with_columns(places.filter(~kept))]
        answered = pl.concat(pieces, how="diagonal").sort(_PLACE).drop(_PLACE)
    return answered, unread


def name_members(frame: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Return the frame with the paths below `folder`, where an archive was unpacked, as names in that archive."""
    return frame.with_columns(pl.selectors.string().str.strip_prefix(f"{folder}/"))


def add_answers(batch: pl.DataFrame, answers: Answers, manifest: Manifest) -> pl.DataFrame:
    """Return the batch with `prediction`, and for labels `confidence` and one `p_<label>` each.

    Of several targets there are these for each: `prediction_<target>`, `confidence_<target>`, `p_<target>_<label>`.
    """
    if manifest.targets:
        parts = {part.target: _added(answers.targets[part.target], part.labels) for part in manifest.parts}
        added = {name_for(name, target): column for target, own in parts.items() for name, column in own.items()}
    else:
        added = _added(answers, manifest.labels)
    taken = [name for name in added if name in batch.columns]
    if taken:
        raise InputError(
            f"the rows already have the column {', '.join(taken)}",
            expected="columns that are not among the answers",
            fix="rename or remove it; was the file written by headway predict?",
        )
    return batch.with_columns(column.alias(name) for name, column in added.items())


def predict_rows(model: Model, rows: pl.DataFrame, *, strict: bool = True) -> Answers:
    """Return the model's answers to rows as the readers left them; see `Model.predict_columns` for `strict`.

    The usual markers of missing values, such as `NA`, are missing. Raises `InputError` where an input column is.
    """
    inputs = select_inputs(model, rows)
    return model.predict_columns({name: inputs[name] for name in inputs.columns}, strict=strict)


def select_inputs(model: Model, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the model's input columns, the usual markers of missing values blanked."""
    names = [column.name for column in model.manifest.inputs]
    if not set(names) <= set(rows.columns):
        raise without_columns(names, rows)
    if model.memory is not None:
        names += [name for name in model.memory.names if name in rows.columns]
    return blank_missing(rows.select(names), Reading().missing)


def without_columns(names: Sequence[str], rows: pl.DataFrame) -> InputError:
    """Return the error for a file that lacks some of the columns `names`, or whose columns have only numbers."""
    given = [name for name in rows.columns if name not in (ROW, REASON)]
    if not given or not all(map(_NAMELESS.fullmatch, given)):
        return missing_columns(names, given)
    return InputError(
        "the file does not name its columns",
        expected=f"columns named {', '.join(map(repr, names))}",
        got="a first line that holds cells of a row",
        fix="put the names of the columns into its first line",
    )


@contextmanager
def open_sink(out: Path | None) -> Iterator[Sink]:
    """Give a function that appends a batch; the file gets its name only when everything is written."""
    if out is None:
        yield _text_sink(sys.stdout.buffer, ".csv")
        return
    kind = out.suffix.lower()
    if kind not in FORMATS:
        raise InputError("cannot write this format", where=str(out), expected=f"a name ending in {', '.join(FORMATS)}")
    if not out.parent.is_dir():
        raise InputError("no such folder", where=str(out.parent), fix="make it first, or choose another --out")
    opened: AbstractContextManager[Sink] = _parquet_sink(out) if kind == ".parquet" else _file_sink(out, kind)
    with opened as sink:
        yield sink


@contextmanager
def _file_sink(out: Path, kind: str) -> Iterator[Sink]:
    """Append to a draft of `out`; of a table that is not all ASCII the first bytes say that it is UTF-8."""
    draft = out.with_name(f".{out.name}.draft")
    try:
        with draft.open("wb") as file:
            append, is_table, wanted, marked = _text_sink(file, kind), kind in (".csv", ".tsv"), False, False

            def write(batch: pl.DataFrame) -> None:
                nonlocal wanted, marked
                wanted = wanted or (is_table and needs_mark(batch))
                if wanted and file.tell() == 0:
                    file.write(MARK)
                    marked = True
                append(batch)

            yield write
        if wanted and not marked:  # the first that is not ASCII stood in a later batch
            add_mark(draft)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _text_sink(file: IO[bytes], kind: str) -> Sink:
    """Append rows as CSV, TSV or JSON Lines; the header comes once."""
    first = True

    def write(batch: pl.DataFrame) -> None:
        nonlocal first
        if kind in (".jsonl", ".ndjson"):
            batch.write_ndjson(file)
        else:
            flat = batch.select(pl.exclude(pl.List, pl.Struct, pl.Binary, pl.Array))
            flat.write_csv(file, include_header=first, separator="\t" if kind == ".tsv" else ",")
        first = False

    return write


@contextmanager
def _parquet_sink(out: Path) -> Iterator[Sink]:
    """Write the batches as parts beside `out`, then stream them into one file."""
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        parts: list[Path] = []

        def write(batch: pl.DataFrame) -> None:
            parts.append(Path(folder) / f"{len(parts):08d}.parquet")
            batch.write_parquet(parts[-1])

        yield write
        joined = Path(folder) / "joined.parquet"
        if parts:
            pl.scan_parquet(parts).sink_parquet(joined)
        else:
            pl.DataFrame().write_parquet(joined)
        joined.replace(out)


def _added(answers: Answers, labels: tuple[Label, ...]) -> dict[str, pl.Series]:
    """Return the columns to add, by name."""
    # Of the right type where there is no answer at all, so that all batches of a file agree.
    kind = pl.Series(list(labels)).dtype if answers.probabilities is not None else pl.Float64()
    predictions = pl.Series("prediction", answers.predictions.tolist(), kind)
    if answers.probabilities is None:
        return {"prediction": predictions}
    added = {"prediction": predictions, "confidence": pl.Series("confidence", answers.confidence)}
    for index, label in enumerate(labels):
        name = f"p_{label}"
        added[name] = pl.Series(name, answers.probabilities[:, index])
    return added
