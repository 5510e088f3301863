"""`headway compress`: a smaller, faster package of a finished run, proven before it ships."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import Language, call_metric, choose_language, say
from headway.errors import Problem, ProjectError

if TYPE_CHECKING:
    from rich.table import Table

    from headway.compression.verdict import Verdict
    from headway.pipeline.recompressing import Recompressed
    from headway.project.schema import Compressing

_STYLES: Mapping[str, str] = {"chosen": "bold green", "failed": "red", "skipped": "dim", "refused": "dim"}


def compress(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as runs/x/latest.")],
    *,
    drop: Annotated[
        str, typer.Option(help="The most that may be lost: points of the metric, or a share of an error.")
    ] = "0.5%",
    budget: Annotated[str, typer.Option(help="The time for it, such as 60s or 5m.")] = "5m",
    methods: Annotated[
        str, typer.Option(help="What is tried: quantise, prune, distil, separated by commas.")
    ] = "quantise,prune,distil",
    lang: Annotated[str | None, typer.Option(help="Language of what is said and of the report: en or zh.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the end result only.")] = False,
) -> None:
    """Make the package of a finished run smaller and faster, within an allowed drop; the original is kept."""
    from headway.cli.live import View, make_console
    from headway.cli.places import find_run
    from headway.pipeline.compressing import Wish
    from headway.pipeline.recompressing import compress_again

    console, language = make_console(), choose_language(lang)
    folder = find_run(run)
    asked = read_wishes(drop, budget, methods)
    view = View(console, language, quiet=quiet, stage="compress")
    with view.moving():
        done = compress_again(
            folder, Wish(asked.drop, asked.time or 0.0, asked.methods), lang=language, listen=view.listen
        )
    if not quiet:
        console.print(tabulate(done.compressed.verdicts, language))
    for line in describe(done, language):
        console.print(line, soft_wrap=True, highlight=False)


def read_wishes(drop: str, budget: str, methods: str) -> Compressing:
    """Return the options as the project file's `Compressing`; raises `ProjectError` with everything that is wrong."""
    from pydantic import ValidationError

    from headway.project.schema import Compressing

    names = tuple(name.strip() for name in methods.split(",") if name.strip())
    try:
        return Compressing(drop=_as_number(drop), time=_as_number(budget), methods=names)  # type: ignore[arg-type]
    except ValidationError as error:
        options = {"drop": "--drop", "time": "--budget", "methods": "--methods"}
        raise ProjectError(
            tuple(
                Problem(
                    "this option cannot be read",
                    where=options.get(str(each["loc"][0]), str(each["loc"][0])),
                    expected=_EXPECTED.get(str(each["loc"][0]), each["msg"]),
                    got=repr(each["input"]),
                )
                for each in error.errors()
            )
        ) from error


_EXPECTED = {
    "drop": "a share such as 0.5% or 0.005",
    "time": "a duration such as 30s, 5m or 1h30m",
    "methods": "quantise, prune, distil",
}


def _as_number(text: str) -> str | float:
    """Return a number as such; shares with a percent sign stay text."""
    try:
        return float(text)
    except ValueError:
        return text


def tabulate(verdicts: tuple[Verdict, ...], language: Language) -> Table:
    """Return a line for each thing that was tried, the original first."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column(say("candidate", language), no_wrap=True)
    for name in ("compress:size", "latency", "compress:rate", "compress:memory", "compress:loss"):
        table.add_column(say(name, language), justify="right", no_wrap=True)
    table.add_column(say("status", language), overflow="fold")
    for verdict in verdicts:
        table.add_row(*_cells(verdict, language), style=_STYLES.get(verdict.status, ""))
    return table


def _cells(verdict: Verdict, language: Language) -> list[str]:
    from headway.compression.gate import write_loss
    from headway.report.translation import translate

    figures, change = verdict.measured, verdict.change
    loss = ""
    if change is not None:
        loss = f"{write_loss(change.loss)} ({write_loss(change.interval[0])} – {write_loss(change.interval[1])})"
    status = say(verdict.status, language)
    return [
        f"{'★' if verdict.status == 'chosen' else ' '} {verdict.name}",
        "" if figures is None else f"{figures.size_mb:.2f}",
        "" if figures is None else f"{figures.latency_p50_ms:.2f} / {figures.latency_p95_ms:.2f}",
        "" if figures is None else f"{figures.rows_per_second:,.0f}",
        "" if figures is None or figures.memory_mb != figures.memory_mb else f"{figures.memory_mb:.0f}",
        loss,
        f"{status}: {translate(verdict.reason, language)}" if verdict.reason else status,
    ]


def describe(done: Recompressed, language: Language) -> list[str]:
    """Return what ships, what it loses, and where everything is."""
    from headway.cli.closing import shorten
    from headway.compression.gate import write_loss
    from headway.report.figures import write_megabytes

    found = done.compressed
    assert found.chosen is not None
    assert found.folder is not None
    assert found.measured is not None
    change, original = found.chosen.change, found.verdicts[0].measured
    words = say("compress:done", language).format(
        name=found.chosen.name,
        before="" if original is None else write_megabytes(original.size_mb),
        after=write_megabytes(found.measured.size_mb),
        metric=call_metric(change.metric, language),
        loss=write_loss(change.loss),
        low=write_loss(change.interval[0]),
        high=write_loss(change.interval[1]),
        drop=write_loss(found.drop),
        rows=f"{change.rows:,}",
    )
    return [
        words,
        f"{say('package:label', language)}  {shorten(found.folder)}",
        f"{say('report:label', language)}  {shorten(done.report)}",
        say("compress:kept", language).format(package=shorten(done.folder / "package")),
    ]
