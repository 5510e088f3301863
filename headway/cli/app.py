"""The command line: its commands, and how every way out of them is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Any

import typer

from headway import __version__
from headway.cli.help import HELP_OPTIONS, speak_chinese, speak_plainly
from headway.cli.messages import Language, choose_language, say
from headway.cli.trouble import find_language, word_error, word_usage
from headway.errors import HeadwayError

# Each is a function, or a Typer of its own, of the module of the same name.
_COMMANDS = (
    "init", "label", "check", "run", "predict", "generate", "evaluate", "compare", "report", "show",
    "compress", "export", "serve", "deploy", "drift", "price", "schema", "demo",
)  # fmt: skip
_GROUPS = ("package", "bases", "keys", "experiment", "store")


def make_app(names: Iterable[str] = (*_COMMANDS, *_GROUPS)) -> typer.Typer:
    """Return the command line with these commands, in the order of its help."""
    app = typer.Typer(
        name="headway",
        help="From a small team's raw data to a small, proven, packaged model, on the machine the team has.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": HELP_OPTIONS, "max_content_width": 100},
    )
    app.callback()(_options)
    for name in names:
        found = getattr(import_module(f"headway.cli.{name}"), name)
        if name in _GROUPS:
            app.add_typer(found, name=name)
        else:
            app.command()(found)
    return app


def run_app() -> None:
    """Run the command that stands on the command line and exit with its code.

    0: done; 1: something the user can put right; 2: wrong usage; 130: interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    arguments, debug = _take_debug(sys.argv[1:])
    try:
        code = _find_command(arguments)(arguments, standalone_mode=False, prog_name="headway")
    except Exception as error:  # the last door: whatever happened is told in words
        if debug:
            raise
        sys.exit(_tell(error, find_language(arguments)))
    except KeyboardInterrupt:
        _print(f"\n{say('interrupted', find_language(arguments))}")
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _find_command(arguments: list[str]) -> Any:
    """Return the command line's parser, its help in the language asked for."""
    command = typer.main.get_command(make_app(_named(arguments)))
    (speak_chinese if find_language(arguments) == "zh" else speak_plainly)(command)
    return command


def _named(arguments: list[str]) -> tuple[str, ...]:
    """Return the one command that the arguments begin with, so that only it is imported; all where none does."""
    first = arguments[0] if arguments else ""
    return (first,) if first in (*_COMMANDS, *_GROUPS) else (*_COMMANDS, *_GROUPS)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"headway {__version__}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Stand before every command; `--debug` is taken off the command line before it gets here."""
    del version, debug
    if lang is not None:
        os.environ["HEADWAY_LANG"] = choose_language(lang)


def _take_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """Return the arguments without `--debug`, which may stand anywhere before `--`, and whether it stood there."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [argument for argument in arguments[:end] if argument != "--debug"]
    return kept + arguments[end:], len(kept) < end


def _tell(error: Exception, language: Language) -> int:
    """Print an error for people and return the exit code."""
    if isinstance(error, HeadwayError):
        _print(word_error(error, language))
        return 1
    # Polars reports a closed pipe as a plain OSError without its number.
    if isinstance(error, BrokenPipeError) or (isinstance(error, OSError) and "Broken pipe" in str(error)):
        # The reader of our output went away (`| head`); nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    usage = _as_usage(error, language)
    if usage is not None:
        return usage
    _print(say("unforeseen", language).format(error=f"{type(error).__name__}: {error}"))
    return 1


def _as_usage(error: Any, language: Language) -> int | None:
    """Return the exit code of an error of the command line's own, after telling it; None for any other error."""
    if type(error).__name__ in ("Abort", "Exit"):
        _print(say("interrupted", language) if type(error).__name__ == "Abort" else "")
        return 130 if type(error).__name__ == "Abort" else int(error.exit_code)
    if not hasattr(error, "format_message"):
        return None
    if not error.format_message():  # a group without a command has shown its help
        return 2
    command = error.ctx.command_path if getattr(error, "ctx", None) is not None else "headway"
    _print(word_usage(error.format_message(), command, language))
    return 2


def _print(text: str) -> None:
    if text:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - the one place that writes errors
