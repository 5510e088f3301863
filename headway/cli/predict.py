"""`headway predict`: answers to every row of a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer


def predict(
    package: Annotated[Path, typer.Argument(help="A package folder, a .headway file or a run, such as runs/x/latest.")],
    file: Annotated[str, typer.Argument(help="The rows: whatever `data:` of a project may name.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write: .csv, .tsv, .jsonl or .parquet; CSV on the terminal without it."),
    ] = None,
) -> None:
    """Keep every column of FILE and add the prediction, its confidence and the probability of each label."""
    from headway import runtime
    from headway.cli.answers import write_answers
    from headway.cli.places import find_package
    from headway.data.dataset import ROW
    from headway.data.reading import read
    from headway.project.units import write_seconds

    model = runtime.load(find_package(package))
    began = time.monotonic()
    written = write_answers(read(file).rows.drop(ROW).iter_slices(10_000), model, out)
    seconds = time.monotonic() - began
    for words in written.unread[:5]:
        typer.echo(f"counts as missing: {words}", err=True)
    if out is not None:
        typer.echo(f"{written.rows:,} rows in {write_seconds(seconds)} to {out}", err=True)
