"""`headway report`: name the report of a finished run, or write it again in another language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headway.cli.messages import choose_language


def report(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as runs/x/latest.")],
    *,
    lang: Annotated[str | None, typer.Option(help="Write it again in this language: en or zh.")] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Name the report of a finished run; with --lang, write it again in that language first."""
    from headway.cli.places import find_run
    from headway.pipeline.folder import REPORT
    from headway.pipeline.reporting import report_again
    from headway.report.page import language_of

    folder = find_run(run)
    path = folder / REPORT
    # What stands before the command is about all that is said: the report follows where it is in another language.
    before = context.find_root().params.get("lang")
    is_other = before is not None and path.is_file() and language_of(path) != choose_language(before)
    if lang is not None or is_other or not path.is_file():
        path = report_again(folder, lang=choose_language(lang or before))
    typer.echo(path)
    if open_it:
        typer.launch(str(path))
