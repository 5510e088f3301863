"""`headway label`: propose labels, and say which rows to look at first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import Language, as_word, choose_language, say
from headway.errors import DataError, InputError

if TYPE_CHECKING:
    import polars as pl

    from headway.bases.base import Base
    from headway.pipeline.labelling.proposing import Wish
    from headway.project import Project

_PROJECTS = (".yaml", ".yml")
_WRITABLE = (".csv", ".jsonl", ".parquet")


def label(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA_OR_PROJECT", help="Rows, some or all without a label; or a project file."),
    ],
    *,
    labels: Annotated[
        str, typer.Option(help="The labels to choose from, separated by commas; those in the rows count too.")
    ] = "",
    target: Annotated[str | None, typer.Option(help="The column of labels; guessed by its name, or made.")] = None,
    base: Annotated[str | None, typer.Option(help="A base model: a name, a folder or auto.")] = None,
    out: Annotated[Path, typer.Option(help="The file to write: .csv, .jsonl or .parquet.")] = Path("to_label.csv"),
    top: Annotated[int, typer.Option(min=1, help="How many rows to rank.")] = 100,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Propose labels for rows that have none, in the order in which correcting them teaches the most."""
    from headway.cli.check import describe_refusal
    from headway.models.family import discover
    from headway.pipeline.checking import list_refusals
    from headway.pipeline.labelling.proposing import propose
    from headway.project import build, read

    language, rest = choose_language(lang), out.with_name(f"{out.stem}.rest{out.suffix}")
    _check_out(out, rest, force=force)
    if Path(data).suffix in _PROJECTS:
        families = {name: card.honours for name, card in discover().cards.items()}
        project = read(Path(data), families=families)
    else:
        project = build(data=data, target=target or _find_target(data))
    project = project if base is None else project.model_copy(update={"base": base})
    rows, rejected, wish = _gather(project, tuple(re.split("[,，]", labels)), top, language)
    found = propose(rows, wish, _find_base(project, rows, wish))
    _write(found.to_correct, out)
    shown = {"path": out, "ranked": found.ranked.height, "labelled": found.labelled.height}
    typer.echo(say("label:done", language).format(**shown, source=say(f"label:{found.source}", language)))
    if found.rest.height:
        _write(found.rest, rest)
        typer.echo(say("label:rest", language).format(path=rest, rows=found.rest.height))
    if found.textless:
        typer.echo(say("label:textless", language).format(path=rest, rows=found.textless))
    for refusal in list_refusals(rejected):
        typer.echo(describe_refusal(refusal, language))
    init = f"headway init {as_word(str(out))} --target {as_word(wish.target)}"
    typer.echo(say("label:next", language).format(target=wish.target, init=init))


def _find_target(data: str) -> str:
    """Return the column that is named like a target, or the name of one to make."""
    from headway.cli.target import guess_target
    from headway.data.dataset import ROW
    from headway.data.reading import read

    rows = read(data).rows
    if len([name for name in rows.columns if name != ROW]) < 2:
        return "label"
    name, reason = guess_target(rows)
    return name if reason == "its name says so" else "label"


def _gather(
    project: Project, labels: tuple[str, ...], top: int, language: Language
) -> tuple[pl.DataFrame, pl.DataFrame, Wish]:
    """Return all rows of the project, labelled or not, the lines that cannot be read, and what is asked of the rows."""
    import polars as pl

    from headway.data.dataset import ROW
    from headway.data.inference import LABELLING, infer
    from headway.data.reading import read
    from headway.pipeline.labelling.proposing import Wish

    if project.targets is not None:
        fix = f"headway label {project.data} --target {next(iter(project.targets))}"
        raise DataError("labels are proposed for one target at a time", where=project.name, fix=fix)
    if project.task == "generate" or project.target is None:
        raise DataError("text to be written needs no labels", where=project.name, expected="a project that classifies")
    table = read(project.data, folder=project.folder, reading=project.reading)
    rows, rejected = table.rows, table.rejected
    if project.target not in rows.columns:
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(project.target))
    found = infer(
        type(table)(rows, table.rejected, table.read, table.origins),
        project.target,
        inputs=project.inputs,
        ignore=project.ignore,
        task="classify",
    )
    columns = tuple(column.name for column in found.inputs if column.modality == "text")
    if not columns:
        names = ", ".join(f"{column.name} ({column.modality})" for column in found.inputs)
        fix = "name it in the project file: inputs: {column: text}"
        raise DataError(
            "there are no texts to label", where=project.data, expected="a column of texts", got=names, fix=fix
        )
    if project.unlabelled is not None:
        more = read(project.unlabelled, folder=project.folder, reading=project.reading)
        rows = pl.concat([rows, more.rows.drop(project.target, strict=False)], how="diagonal_relaxed")
        rejected = pl.concat([rejected, more.rejected], how="diagonal_relaxed")
    rows = rows.drop(ROW, *LABELLING, strict=False)
    return rows, rejected, Wish(project.target, columns, labels, project.descriptions, top, project.seed, language)


def _find_base(project: Project, rows: pl.DataFrame, wish: Wish) -> Base:
    """Return the text encoder that the project names or that suits the texts; remarks are told."""
    from headway.bases.choosing import Demands
    from headway.bases.finding import find_bases

    texts = [text for column in wish.columns for text in rows[column].drop_nulls().head(2000).cast(str).to_list()]
    demands = Demands(rows.height, tuple(texts), project.budget.time, project.budget.memory)
    found = find_bases(project.base, {"text_encoder"}, demands, folder=project.folder)
    if "text_encoder" not in found.bases:
        raise InputError(
            "labels cannot be proposed without a text encoder",
            got="; ".join(found.remarks) or found.absent.get("text_encoder", ""),
            fix="headway bases lists what there is; then --base NAME",
        )
    return found.bases["text_encoder"]


def _check_out(out: Path, rest: Path, *, force: bool) -> None:
    if out.suffix not in _WRITABLE:
        raise InputError(
            "the file cannot be written", where=str(out), expected=", ".join(_WRITABLE), got=out.suffix or "no ending"
        )
    if not out.absolute().parent.is_dir():
        raise InputError("no such folder", where=str(out.parent), fix="make it first, or choose another --out")
    for path in (out, rest):
        if path.exists() and not force:
            fix = "--out NAME, or --force to overwrite it"
            raise InputError("the file is there already", where=str(path), fix=fix)


def _write(frame: pl.DataFrame, path: Path) -> None:
    from headway.cli.marking import needs_mark
    from headway.compute.drafts import whole_file

    with whole_file(path) as draft:
        if path.suffix == ".csv":
            frame.write_csv(draft, include_bom=needs_mark(frame))
        elif path.suffix == ".jsonl":
            frame.write_ndjson(draft)
        else:
            frame.write_parquet(draft)
