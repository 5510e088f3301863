"""`headway report`: name the report of a finished run, in the language you read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headway.cli.messages import choose_language


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as runs/x/latest.")],
    *,
    lang: Annotated[str | None, typer.Option(help="Language of the report: en or zh.")] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Name the report of a finished run, in the language you read, and open it if you like."""
    from headway.cli.places import find_report

    path = find_report(run, choose_language(lang))
    typer.echo(path)
    if open_it:
        typer.launch(str(path))
