"""`headway check`: everything that can be said before training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import Language, as_word, call_metric, choose_language, say, shorten_list
from headway.report.translation import translate

if TYPE_CHECKING:
    from rich.table import Table

    from headway.pipeline.checking import CandidateCost, Check, Refusal
    from headway.runtime.manifest import Target

# Reasons that are told of what is set aside; a run keeps all of it in rejected.parquet.
_MOST_REFUSALS = 5


def check(
    project: Annotated[
        Path | None,
        typer.Argument(metavar="PROJECT", help="The project file, or its folder.", show_default="headway.yaml"),
    ] = None,
    *,
    lang: Annotated[str | None, typer.Option(help="Language of the answer: en or zh.")] = None,
) -> None:
    """Check the project and its data, and estimate what each candidate would cost, without training."""
    from headway.cli.live import make_console
    from headway.cli.run import read_project
    from headway.pipeline.checking import check as check_project
    from headway.project import naming_lines

    file = project or Path("headway.yaml")
    asked, language, console = read_project(file), choose_language(lang), make_console()
    with console.status(say("checking", language)), naming_lines(file):
        found = check_project(asked)
    for line in describe(found, language):
        console.print(line, soft_wrap=not console.is_terminal, highlight=False, markup=False)
    console.print()
    console.print(cost_table(found.costs, language))
    console.print()
    console.print(
        f"{say('next:label', language)}  headway run {as_word(file)}", soft_wrap=True, highlight=False, markup=False
    )


def describe(found: Check, language: Language) -> list[str]:
    """Return what the data are, what was noticed in them, and the remarks."""
    inputs = ", ".join(f"{column.name} ({say(column.modality, language)})" for column in found.inputs)
    counts = say("check:rows", language).format(
        read=f"{found.read:,}", rejected=f"{found.rejected:,}", train=f"{found.train:,}", test=f"{found.test:,}"
    )
    folds = say("check:folds", language).format(folds=found.folds) if found.folds > 1 else ""
    signs = {"info": "·", "warning": "!", "error": "✗"}
    return [
        f"{say(found.task, language)}, {call_metric(found.metric, language)}",
        *(describe_target(target, language) for target in found.targets),
        f"{say('inputs', language)}: {inputs}",
        f"{counts}{folds}",
        *(f"! {describe_refusal(refusal, language)}" for refusal in found.refusals[:_MOST_REFUSALS]),
        *(
            f"{signs.get(str(finding['severity']), '·')} {translate(str(finding['message']), language)}"
            for finding in found.findings
        ),
        *(f"! {translate(remark, language)}" for remark in found.remarks),
    ]


def describe_refusal(refusal: Refusal, language: Language) -> str:
    """Return why rows or cells are set aside, how many, and where the first one stands."""
    from headway.cli.closing import shorten

    file, reason = shorten(Path(refusal.file)), translate(refusal.reason, language)
    return say("check:refusal", language).format(count=f"{refusal.count:,}", reason=reason, file=file, row=refusal.row)


def describe_target(target: Target, language: Language) -> str:
    """Return one of several targets with the task that was found for it, and its labels where it has some."""
    labels = shorten_list([str(label) for label in target.labels], 20, language)
    return f"{target.name} ({say(target.task, language)})" + (f": {labels}" if labels else "")


def cost_table(costs: tuple[CandidateCost, ...], language: Language) -> Table:
    """Return what each candidate would cost, cheapest first; tokens a second where one reads through an encoder."""
    from rich.table import Table

    from headway.project.units import write_seconds

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column(say("candidate", language), no_wrap=True)
    table.add_column(say("estimate", language), justify="right", no_wrap=True)
    table.add_column(f"{say('memory', language)} MB", justify="right", no_wrap=True)
    reads = any(cost.tokens_per_second is not None for cost in costs)
    if reads:
        table.add_column(say("check:pace", language), justify="right", no_wrap=True)
    table.add_column(say("note", language))
    for cost in costs:
        cells = [
            f"{'✓' if cost.fits else '–'} {cost.name}",
            "" if cost.seconds is None else write_seconds(cost.seconds),
            _whole(cost.memory_mb),
            *([_whole(cost.tokens_per_second)] if reads else []),
            translate(cost.note, language),
        ]
        table.add_row(*cells, style="" if cost.fits else "dim")
    return table


def _whole(number: float | None) -> str:
    return "" if number is None else f"{number:,.0f}"
