"""`headway run`: from a project file to a package and a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import as_word, choose_language, say
from headway.errors import RunError

if TYPE_CHECKING:
    from headway.pipeline.result import RunResult
    from headway.project import Project


def run(
    project: Annotated[
        Path | None,
        typer.Argument(metavar="PROJECT", help="The project file, or its folder.", show_default="headway.yaml"),
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option(help="Where run folders go; runs/ by default.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue the run in this folder.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the summary and the report: en or zh.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the end result only.")] = False,
    budget: Annotated[
        str | None,
        typer.Option(help="Time budget instead of the project's, such as 60s; with --resume, more time in all."),
    ] = None,
) -> None:
    """Prepare, train, evaluate, package and report, within the project's budget."""
    from contextlib import nullcontext

    from headway.project import naming_lines

    asked = _load(project, resume, budget)
    with nullcontext() if asked is None else naming_lines(project or Path("headway.yaml")):
        time = None if resume is None else budget
        execute(asked, out=out, resume=resume, time=time, lang=lang, quiet=quiet)


def execute(
    project: Project | None,
    *,
    out: Path | None,
    resume: Path | None,
    time: str | None = None,
    lang: str | None,
    quiet: bool,
) -> RunResult:
    """Run a project with progress on the terminal and print what it came to.

    None with a run to `resume`, which may be given more `time` in all.
    """
    from headway.cli.closing import print_closing
    from headway.cli.live import View, make_console
    from headway.pipeline.run import run as run_pipeline

    console, language = make_console(), choose_language(lang)
    view = View(console, language, quiet=quiet)
    try:
        with view.moving():
            done = run_pipeline(project, out=out, resume=resume, time=time, lang=language, listen=view.listen)
    except KeyboardInterrupt:
        folder = view.folder or resume
        if folder is not None:
            command = f"headway run --resume {as_word(folder)}"
            typer.echo(f"\n{say('stopped', language)}\n{say('resume', language).format(command=command)}", err=True)
            raise typer.Exit(130) from None
        raise
    print_closing(done, console=console, language=language, quiet=quiet)
    return done


def read_project(path: Path | None) -> Project:
    """Read the project file at `path`, or `headway.yaml` here, against the families that there are."""
    from headway.models.family import discover
    from headway.project import read

    families = {name: card.honours for name, card in discover().cards.items()}
    return read(path or Path("headway.yaml"), families=families)


def _load(project: Path | None, resume: Path | None, budget: str | None) -> Project | None:
    """Return the project to run, or None where a run is resumed, which knows its own."""
    from headway.project import change_time

    if resume is None:
        read = read_project(project)
        return read if budget is None else change_time(read, budget)
    if project is not None:
        raise RunError(
            "a resumed run keeps its project",
            got="--resume with a project file",
            fix=f"headway run --resume {as_word(resume)}; --budget TIME gives it more time in all",
        )
    return None
