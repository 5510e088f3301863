"""`headway report`: name the report of a finished run, or write it again in another language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headway.cli.messages import choose_language


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as runs/x/latest.")],
    *,
    lang: Annotated[str | None, typer.Option(help="Write it again in this language: en or zh.")] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Name the report of a finished run; with --lang, write it again in that language first."""
    from headway.cli.places import find_run
    from headway.pipeline.folder import REPORT
    from headway.pipeline.reporting import report_again

    folder = find_run(run)
    path = folder / REPORT
    if lang is not None or not path.is_file():
        path = report_again(folder, lang=choose_language(lang))
    typer.echo(path)
    if open_it:
        typer.launch(str(path))
