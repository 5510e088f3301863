"""`headway demo`: an example on real data, from raw files to an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headway.cli.messages import choose_language, say
from headway.demos import DemoName


def demo(
    name: Annotated[DemoName, typer.Argument(metavar="EXAMPLE", help="reviews, digits or diagnosis.")] = "reviews",
    *,
    out: Annotated[Path | None, typer.Option(help="Its folder; headway-demo-NAME here by default.")] = None,
    budget: Annotated[str | None, typer.Option(help="Time budget instead of the example's, such as 60s.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the summary and the report: en or zh.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the end result only.")] = False,
) -> None:
    """Write an example that you can edit, run it and ask it a question."""
    from headway import runtime
    from headway.cli.closing import shorten
    from headway.cli.run import execute, read_project
    from headway.demos import load_demo, write_demo
    from headway.project import change_time

    folder, language = out or Path(f"headway-demo-{name}"), choose_language(lang)
    example = load_demo(name)
    file = write_demo(example, folder)
    if not quiet:
        typer.echo(say("demo:written", language).format(path=shorten(file)))
    project = read_project(file)
    project = project if budget is None else change_time(project, budget)
    done = execute(project, out=folder / "runs", resume=None, lang=lang, quiet=quiet)
    row = example.ask(folder)
    answer = runtime.load(done.package).predict([row])[0]
    typer.echo("")
    question = next(iter(row.values())) if len(row) == 1 else say("demo:first", language)
    typer.echo(f"{question}\n  → {answer.prediction}  ({answer.confidence:.1%})")
