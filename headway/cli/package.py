"""`headway package`: what can be done with a package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headway.cli.messages import choose_language, say

package = typer.Typer(help="Check a package.", no_args_is_help=True)


@package.callback()
def _group() -> None:
    """Keep `verify` a command of its own; a group of one would swallow its name."""


@package.command()
def verify(
    path: Annotated[Path, typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run.")],
    *,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Check every byte, path and operator of a package, and that it opens."""
    from headway import runtime
    from headway.cli.places import find_package

    found = find_package(path)
    manifest = runtime.load(found).manifest
    words = say("verified", choose_language(lang))
    typer.echo(words.format(path=found, name=manifest.name, count=len(manifest.files)))
