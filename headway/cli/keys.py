"""`headway keys`: who may use a service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headway.cli.messages import choose_language, say

keys = typer.Typer(help="Add, list and revoke the API keys of a service.", no_args_is_help=True)

_FILE = typer.Option(help="The file that `headway serve --keys` reads.")
_LANG = typer.Option(help="Language of what is said: en or zh.")


@keys.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")],
    *,
    file: Annotated[Path, _FILE] = Path("keys.json"),
    right: Annotated[list[str] | None, typer.Option(help="predict (by default) or deploy; may be repeated.")] = None,
    rate: Annotated[str, typer.Option(help="At most so many requests, such as 100/s, 6000/m or 100000/h.")] = "",
    lang: Annotated[str | None, _LANG] = None,
) -> None:
    """Make a key and show it, this once; the file holds its hash only."""
    from headway.errors import RunError
    from headway.serving.keys import RIGHTS, add_key

    rights = tuple(each for each in RIGHTS if each in (right or ("predict",)))
    unknown = set(right or ()) - set(RIGHTS)
    if unknown:
        raise RunError("--right: there is no such right", expected=" or ".join(RIGHTS), got=", ".join(sorted(unknown)))
    typer.echo(add_key(file, name=name, rights=rights, rate=rate))
    typer.echo(say("keys:added", choose_language(lang)).format(path=file), err=True)


@keys.command("list")
def list_keys(*, file: Annotated[Path, _FILE] = Path("keys.json"), lang: Annotated[str | None, _LANG] = None) -> None:
    """Show all keys, without their secrets, which nobody knows."""
    from rich.console import Console
    from rich.table import Table

    from headway.serving.keys import read_keys

    language = choose_language(lang)
    table = Table(*(say(f"keys:{column}", language) for column in ("id", "name", "may", "rate", "created", "state")))
    for key in read_keys(file):
        gone = say("keys:gone", language).format(when=key.revoked) if key.revoked else say("keys:valid", language)
        table.add_row(key.id, key.name, ", ".join(key.rights), key.rate or "-", key.created, gone)
    Console().print(table, markup=False)


@keys.command()
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The key's id, or its name where only one has it.")],
    *,
    file: Annotated[Path, _FILE] = Path("keys.json"),
    lang: Annotated[str | None, _LANG] = None,
) -> None:
    """Revoke a key; a running service refuses it within a second or two."""
    from headway.serving.keys import revoke_key

    gone = revoke_key(file, identity)
    typer.echo(say("keys:revoked", choose_language(lang)).format(id=gone.id, name=gone.name))
