"""`headway init`: look at the data and write a first project file, with reasons."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import Language, as_word, choose_language, say, shorten_list
from headway.errors import HeadwayError

if TYPE_CHECKING:
    from headway.data.corpus.reading import Corpus
    from headway.data.dataset import Table
    from headway.data.inference import Inference
    from headway.project.draft import Choice


def init(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="A file, glob, folder of images, zip archive or database URL.")
    ],
    *,
    target: Annotated[str | None, typer.Option(help="The column to predict; guessed without it.")] = None,
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("headway.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Look at the data and write a commented project file: what was found, and why."""
    from headway.cli.corpus import look_for_pictures, look_for_text
    from headway.cli.target import check_target, guess_target
    from headway.data.inference import infer, is_to_be_written
    from headway.data.reading import read
    from headway.project.draft import Choice
    from headway.report.translation import translate

    if out.exists() and not force:
        raise HeadwayError("the file is there already", where=str(out), fix="--out NAME, or --force to overwrite it")
    pictures = None if target is not None else look_for_pictures(data)
    if pictures is not None:
        _write(out, _draft_pictures(data, out, pictures, language=choose_language(lang)))
        _say_next(out, say("init:draws", choose_language(lang)).format(path=out), choose_language(lang))
        return
    corpus = None if target is not None else look_for_text(data)
    if corpus is not None:
        _write(out, _draft_corpus(data, out, corpus, language=choose_language(lang)))
        _say_next(out, say("init:text", choose_language(lang)).format(path=out), choose_language(lang))
        return
    table = read(data)
    if target is None:
        target, reason = guess_target(table.rows)
    else:
        target, reason = check_target(table.rows, target), "as you asked"
    language = choose_language(lang)
    if is_to_be_written(table.rows[target]):
        _write(out, _draft_writing(data, out, Choice("target", target, reason), table, language=language))
        _say_next(out, say("init:written", language).format(path=out, target=target), language)
        return
    found = infer(table, target)
    _write(out, _draft_text(data, out, Choice("target", target, reason), table, found, language=language))
    if table.rows[target].drop_nulls().n_unique() < 2:
        typer.echo(say("warning", language).format(words=translate(_one_class(target), language)), err=True)
    shown = shorten_list([column.name for column in found.inputs], 8, language)
    why = translate(reason, language)
    _say_next(out, say("init:done", language).format(path=out, target=target, reason=why, inputs=shown), language)


def _say_next(out: Path, done: str, language: Language) -> None:
    """Say what was written, and the next commands."""
    path = as_word(str(out))
    typer.echo(done)
    typer.echo(say("init:next", language).format(check=f"headway check {path}", run=f"headway run {path}"))


def _draft_pictures(data: str, out: Path, count: int, *, language: Language) -> str:
    """Return the text of a project that learns to draw, its comments in `language`."""
    from headway.project.draft import Choice, Draft, write_draft
    from headway.project.reading import default_name

    return write_draft(
        Draft(
            command=f"headway init {as_word(data)}",
            name=default_name(data, out.absolute().parent),
            data=Choice("data", _from_file(data, out), say("init:pictures", language).format(count=f"{count:,}")),
            target=None,
            task=Choice("task", "generate", say("init:no_classes", language)),
            draws=True,
        ),
        language,
    )


def _draft_corpus(data: str, out: Path, corpus: Corpus, *, language: Language) -> str:
    """Return the text of a project that learns to write, its comments in `language`."""
    from headway.data.corpus.reading import TEXT
    from headway.project.draft import Choice, Draft, write_draft
    from headway.project.reading import default_name
    from headway.report.translation import translate

    rows = corpus.table.rows
    characters = int(rows[TEXT].str.len_chars().sum() or 0)
    return write_draft(
        Draft(
            command=f"headway init {as_word(data)}",
            name=default_name(data, out.absolute().parent),
            data=Choice(
                "data", _from_file(data, out), say("init:characters", language).format(count=f"{characters:,}")
            ),
            target=None,
            task=Choice("task", "generate", say(f"init:{corpus.form}", language)),
            remarks=[translate(finding.message, language) for finding in corpus.inference.findings],
        ),
        language,
    )


def _draft_writing(data: str, out: Path, target: Choice, table: Table, *, language: Language) -> str:
    """Return the text of a project that writes one column of a table, given the texts in the others."""
    from headway.data.dataset import ROW
    from headway.data.inference import guess_column
    from headway.project.draft import Choice, Draft, write_draft
    from headway.project.reading import default_name
    from headway.report.translation import translate

    others = [guess_column(table.rows[name]) for name in table.rows.columns if name not in (ROW, target.value)]
    return write_draft(
        Draft(
            command=f"headway init {as_word(data)}",
            name=default_name(data, out.absolute().parent),
            data=Choice("data", _from_file(data, out), translate(_describe_table(table), language)),
            target=Choice("target", target.value, translate(target.reason, language)),
            task=Choice("task", "generate", say("init:to_write", language)),
            inputs=[
                Choice(guess.column, "text", translate(guess.reason, language))
                for guess in others
                if guess.modality == "text"
            ],
        ),
        language,
    )


def _draft_text(data: str, out: Path, target: Choice, table: Table, found: Inference, *, language: Language) -> str:
    """Return the text of the project file, its comments in `language`."""
    from headway.project.draft import Choice, Draft, write_draft
    from headway.project.reading import default_name
    from headway.report.translation import translate

    def choose(name: str, value: str, reason: str) -> Choice:
        return Choice(name, value, translate(reason, language))

    return write_draft(
        Draft(
            command=f"headway init {as_word(data)}",
            name=default_name(data, out.absolute().parent),
            data=choose("data", _from_file(data, out), _describe_table(table)),
            target=choose("target", target.value, target.reason),
            task=choose("task", found.task, _describe_target(table, target.value)),
            inputs=[choose(guess.column, guess.modality or "", guess.reason) for guess in found.guesses if guess.use],
            ignore=[choose(guess.column, "", guess.reason) for guess in found.guesses if not guess.use],
            remarks=[translate(remark, language) for remark in _remarks(table, target.value, found)],
            history=_propose_history(table, target.value, found),
        ),
        language,
    )


def _propose_history(table: Table, target: str, found: Inference) -> str:
    """Return a `history:` for rows that happen in time and whose keys come again, in YAML, or nothing."""
    from headway.data.history_shape import find_shape
    from headway.project.draft import quote

    shape = find_shape(table.rows, found, target)
    if shape is None:
        return ""
    lists = {"keys": shape.keys, "values": shape.values}
    parts = [f"time: {quote(shape.time)}"]
    parts += [f"{name}: [{', '.join(map(quote, columns))}]" for name, columns in lists.items() if columns]
    return "{" + ", ".join([*parts, "windows: [1d, 7d, 30d]", "delay: 7d"]) + "}"


def _from_file(data: str, out: Path) -> str:
    """Return the data's path as seen from the project file; URLs and absolute paths stay."""
    here = out.absolute().parent
    if "://" in data or data.startswith("hf:") or Path(data).is_absolute() or here == Path.cwd():
        return data
    return Path(os.path.relpath(Path.cwd() / data, here)).as_posix()


def _describe_table(table: Table) -> str:
    words = f"{table.rows.height:,} rows, {table.rows.width - 1:,} columns"
    if not table.rejected.is_empty():
        words += f"; {table.rejected.select('file', 'row').unique().height:,} records cannot be read"
    return words


def _describe_target(table: Table, target: str) -> str:
    """Return what the target's values are, the most common first."""
    import polars as pl

    values = table.rows[target].drop_nulls()
    if values.dtype == pl.String:  # as a run reads labels
        values = values.str.strip_chars()
    counts = values.value_counts(sort=True)
    if counts.height > 12:
        return f"{counts.height:,} different values, such as {', '.join(str(v) for v in counts[target][:3])}"
    shown = ", ".join(f"{value} ({count:,})" for value, count in counts.rows())
    return f"{counts.height:,} different values: {shown}"


def _remarks(table: Table, target: str, found: Inference) -> list[str]:
    """Return what a reader should know before a run: missing targets, repeated rows, contradictions."""
    from headway.project.units import write_count

    rows = table.rows.select([column.name for column in found.inputs] + [target])
    remarks = []
    missing = rows[target].null_count()
    if missing:
        have = "has" if missing == 1 else "have"
        remarks.append(f"{write_count(missing, 'row')} {have} no {target} and cannot be learnt from")
    rows = rows.drop_nulls(target)
    if rows[target].n_unique() < 2:
        remarks.append(_one_class(target))
    distinct = rows.unique().height
    if distinct < rows.height:
        repeated = rows.height - distinct
        words = "repeats another one and is dropped" if repeated == 1 else "repeat another one and are dropped"
        remarks.append(f"{write_count(repeated, 'row')} {words} before the split")
    answers = rows.unique().group_by(rows.columns[:-1]).len()
    contradicting = int((answers["len"] > 1).sum())
    if contradicting and found.task == "classify":
        words = "stands with different answers and is" if contradicting == 1 else "stand with different answers and are"
        remarks.append(f"{write_count(contradicting, 'input')} {words} set aside")
    return remarks


def _one_class(target: str) -> str:
    return f"{target} has one value in all rows: nothing can be learnt from it; --target names another column"


def _write(path: Path, text: str) -> None:
    """Write the file, all or nothing."""
    if not path.absolute().parent.is_dir():
        raise HeadwayError("no such folder", where=str(path.parent), fix="make it first, or choose another --out")
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
