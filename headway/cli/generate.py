"""`headway generate`: text written by a package, shown while it is written, or pictures that it draws."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import Language, choose_language, say
from headway.cli.wishes import check_drawing, check_writing
from headway.errors import InputError

if TYPE_CHECKING:
    from headway.runtime import Generator, Message, Wish


def generate(
    context: typer.Context,
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
    given, language = _given(context), choose_language(lang)
    if _draws(package):
        from headway.cli.drawing import draw

        check_drawing(given, prompt)
        draw(package, count=count, label=label, seed=seed, out=out, language=language)
        return
    from headway.cli.places import find_package
    from headway.runtime import Wish, load_generator

    check_writing(given)
    wish = Wish(max_tokens, temperature, top_p, seed, tuple(stop or ()))
    generator = load_generator(find_package(package), slots=1)
    chats = _chats(generator, system, chat=chat)
    words = _read_prompt(generator, language, chats=chats) if prompt is None else prompt
    tokens, seconds = _write(generator, _asked(words, system) if chats else words, wish)
    facts = {"tokens": f"{tokens:,}", "rate": f"{tokens / max(seconds, 1e-9):.0f}"}
    typer.echo(say("generate:done", language).format(**facts), err=True)


def _draws(package: Path) -> bool:
    """Tell whether a package draws pictures."""
    from headway.cli.places import find_package
    from headway.serving.naming import draws

    return draws(str(find_package(package)))


def _given(context: typer.Context) -> list[str]:
    """Return the wishes that stand on the command line, by the names of their parameters."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]


def _chats(generator: Generator, system: str | None, *, chat: bool | None) -> bool:
    """Tell whether the words are one turn of a conversation: where the package holds them, or as `chat` says.

    Raises `InputError` for a conversation where none is held, and for words before one that there is not.
    """
    facts = generator.manifest.generation
    assert facts is not None
    chats = facts.chat is not None if chat is None else chat
    if chats and facts.chat is None:
        raise InputError("this package continues texts and holds no conversations", where="--chat",
                         fix="leave --chat out: the prompt is how the text begins")  # fmt: skip
    if system is not None and not chats:
        alone = "leave --system out: the prompt is how the text begins"
        fix = alone if facts.chat is None else "leave out --text, or --system"
        raise InputError("a text is continued here, and nothing can be told before it", where="--system",
                         got=system[:80], fix=fix)  # fmt: skip
    return chats


def _read_prompt(generator: Generator, language: Language, *, chats: bool) -> str:
    """Return the prompt from standard input; on a terminal nothing, where a text may begin so, else what is typed."""
    if not sys.stdin.isatty():
        return sys.stdin.read()
    facts = generator.manifest.generation
    if not chats and facts is not None and facts.begin_id is not None:
        return ""
    typer.echo(say("generate:ask" if chats else "generate:begin", language), err=True)
    return sys.stdin.read().removesuffix("\n")


def _asked(words: str, system: str | None) -> list[Message]:
    """Return a conversation that asks for an answer."""
    from headway.runtime import Message

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
