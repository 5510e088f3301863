"""`headway generate`: text written by a package, shown while it is written, or pictures that it draws."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import choose_language, say

if TYPE_CHECKING:
    from headway.runtime import Generator, Message, Wish


def generate(
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run.")
    ],
    *,
    prompt: Annotated[
        str | None, typer.Option(help="How the text begins, or what is asked; standard input without it.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="What the assistant is told before the conversation.")] = None,
    chat: Annotated[
        bool | None, typer.Option("--chat/--text", help="Ask, or let a text be continued; what the package can.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="The most tokens of the answer.")] = 256,
    temperature: Annotated[float, typer.Option(min=0, max=2, help="0: always the likeliest token.")] = 0.7,
    top_p: Annotated[float, typer.Option(help="Keep the likeliest tokens that have this share together.")] = 0.95,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed writes the same text.")] = None,
    stop: Annotated[list[str] | None, typer.Option(help="End before this text; may be repeated.")] = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many pictures to draw.")] = 16,
    label: Annotated[str | None, typer.Option(help="What the pictures shall show; any label without it.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .png for a grid of the pictures, or a folder for one file each.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Write text with a package and show it while it is written, or draw pictures with it."""
    if _draws(package):
        from headway.cli.drawing import draw

        draw(package, prompt, count=count, label=label, seed=seed, out=out, language=choose_language(lang))
        return
    from headway.cli.places import find_package
    from headway.runtime import Wish, load_generator

    language = choose_language(lang)
    wish = Wish(max_tokens, temperature, top_p, seed, tuple(stop or ()))
    words = sys.stdin.read() if prompt is None else prompt
    generator = load_generator(find_package(package), slots=1)
    tokens, seconds = _write(generator, _asked(generator, words, system, chat=chat), wish)
    facts = {"tokens": f"{tokens:,}", "rate": f"{tokens / max(seconds, 1e-9):.0f}"}
    typer.echo(say("generate:done", language).format(**facts), err=True)


def _draws(package: Path) -> bool:
    """Tell whether a package draws pictures."""
    from headway.cli.places import find_package
    from headway.serving.naming import draws

    return draws(str(find_package(package)))


def _asked(generator: Generator, words: str, system: str | None, *, chat: bool | None) -> str | list[Message]:
    """Return a conversation where the package holds them (or `chat` says so), else the text itself."""
    from headway.runtime import Message

    facts = generator.manifest.generation
    assert facts is not None
    if chat is None:
        chat = facts.chat is not None
    if not chat:
        return words
    return [*([] if system is None else [Message("system", system)]), Message("user", words)]


def _write(generator: Generator, asked: str | list[Message], wish: Wish) -> tuple[int, float]:
    """Show the text as it comes; return its tokens and the seconds that they took."""
    import time

    if isinstance(asked, str):
        typer.echo(asked, nl=False)
    began, tokens = time.monotonic(), 0
    for piece in generator.stream(asked, wish):
        typer.echo(piece.text, nl=False)
        sys.stdout.flush()
        tokens = piece.tokens
    typer.echo()
    return tokens, time.monotonic() - began
