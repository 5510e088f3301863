"""`headway package`: what can be done with a package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from headway.cli.bases import Memory, open_here
from headway.cli.messages import Language, choose_language, say

# Characters on which perplexity is measured at most.
_MOST_TEXT = 40_000

package = typer.Typer(help="Check a package, or make one of a pretrained model.", no_args_is_help=True)


@package.command()
def verify(
    path: Annotated[Path, typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run.")],
    *,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Check every byte, path and operator of a package, and that it opens."""
    from headway.cli.places import find_package
    from headway.runtime.verifying import verify as prove

    found = find_package(path)
    manifest = prove(found)
    words = say("verified", choose_language(lang))
    typer.echo(words.format(path=found, name=manifest.name, count=len(manifest.files)))


@package.command()
def base(
    name: Annotated[
        str, typer.Argument(metavar="BASE", help="A pretrained decoder: a name, a folder, a .gguf file or a hub id.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="The folder to write; NAME.headway is written beside it.")],
    text: Annotated[
        Path | None, typer.Option(help="Text to measure the perplexity on; written by the model itself without it.")
    ] = None,
    precision: Annotated[
        Literal["int4", "mixed", "int8", "float32"] | None,
        typer.Option(help="Bits of the weights; the fewest that keep the perplexity without it."),
    ] = None,
    memory: Memory = None,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Make a package that writes text of a pretrained model as it is."""
    from headway.decoders.basing import package_base

    language = choose_language(lang)
    texts = () if text is None else (_read_text(text),)
    opened = open_here(name, memory, tell=lambda words: typer.echo(words, err=True))
    folder = package_base(opened, out, texts=texts, precision=precision)
    _show_gate(folder, language)


def _show_gate(folder: Path, language: Language) -> None:
    """Say in how many bits a package was written and what that cost."""
    from headway import runtime

    manifest = runtime.load_generator(folder, slots=1).manifest
    facts, measured = manifest.generation, manifest.measured
    assert facts is not None
    words = say("packaged:base", language).format(
        folder=folder, precision=facts.precision, size=f"{measured['size_mb']:.0f}",
        change=f"{100 * measured['perplexity_change']:+.1f}%", rate=f"{measured['tokens_per_second']:.0f}",
    )  # fmt: skip
    typer.echo(words)
    if facts.chat is None:
        typer.echo(say("packaged:no_chat", language), err=True)


def _read_text(path: Path) -> str:
    """Return the text in a file; raises `DataError` where it cannot be read."""
    from headway.errors import DataError

    try:
        return path.read_text(encoding="utf-8")[:_MOST_TEXT]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("the text cannot be read", where=str(path), expected="a file of text in UTF-8",
                        got=str(error)[:200]) from None  # fmt: skip
