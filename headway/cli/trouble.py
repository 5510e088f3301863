"""Errors in words, in the language of the command."""

from __future__ import annotations

from collections.abc import Sequence

from headway.cli.messages import Language, choose_language
from headway.errors import HeadwayError, Problem, RunError


def find_language(arguments: Sequence[str]) -> Language:
    """Return the language that a command line asks for by `--lang`, else the one of the environment."""
    wanted = None
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument.startswith("--lang="):
            wanted = argument.partition("=")[2]
        elif argument == "--lang" and place + 1 < len(arguments):
            wanted = arguments[place + 1]
    try:
        return choose_language(wanted)
    except RunError:  # the command itself will say so
        return choose_language(None)


def word_error(error: HeadwayError, language: Language) -> str:
    """Return an error with all its problems as the terminal shows it."""
    return "headway: " + "\n".join(word_problem(problem, language) for problem in error.problems)


def word_problem(problem: Problem, language: Language) -> str:
    """Return one problem as a short paragraph: where, what, expected, got, next step."""
    if language == "en":
        return str(problem)
    from headway.report.translation import LABELS, translate_error

    what, where = (translate_error(text, language) for text in (problem.what, problem.where))
    # A single word that was got is a reader's own: a column may be called `text`.
    got = translate_error(problem.got, language) if " " in problem.got else problem.got
    details = (("expected", translate_error(problem.expected, language)), ("got", got))
    lines = [f"{where}：{what}" if where else what]
    lines += [f"  {LABELS[label]}：{text}" for label, text in details if text]
    if problem.fix:
        lines.append(f"  {LABELS['next']}：{translate_error(problem.fix, language)}")
    return "\n".join(lines)


def word_usage(message: str, command: str, language: Language) -> str:
    """Return a complaint of the command line's parser, and where its help stands."""
    message = message.replace("Value error, ", "")
    if language == "en":
        return f"headway: {message}\n  next: {command} --help"
    from headway.report.translation import LABELS, translate_error

    return f"headway: {translate_error(message, language)}\n  {LABELS['next']}：{command} --help"
