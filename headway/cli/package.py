"""`headway package`: what can be done with a package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

package = typer.Typer(help="Check a package.", no_args_is_help=True)


@package.callback()
def _group() -> None:
    """Keep `verify` a command of its own; a group of one would swallow its name."""


@package.command()
def verify(
    path: Annotated[Path, typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run.")],
) -> None:
    """Check every byte, path and operator of a package, and that it opens."""
    from headway import runtime
    from headway.cli.places import find_package

    found = find_package(path)
    manifest = runtime.load(found).manifest
    typer.echo(f"{found}: {manifest.name} is whole; {len(manifest.files)} files match their sha256")
