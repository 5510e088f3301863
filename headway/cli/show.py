"""`headway show`: what a package says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import choose_language, say

if TYPE_CHECKING:
    from headway.runtime.manifest import Manifest


def show(
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole manifest as JSON.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Show what a package reads, what it answers and how good it is."""
    import dataclasses
    import json

    from rich.console import Console

    from headway import runtime
    from headway.cli.places import find_package

    manifest = runtime.load(find_package(package)).manifest
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(manifest), ensure_ascii=False, indent=2))
        return
    from rich.table import Table

    language = choose_language(lang)
    table = Table.grid(padding=(0, 2))
    for label, text in describe(manifest):
        table.add_row(f"[bold]{say(f'show:{label}', language)}[/bold]", text)
    Console().print(table, highlight=False, markup=True)


def describe(manifest: Manifest) -> list[tuple[str, str]]:
    """Return the lines to show: a label and a text without markup."""
    from rich.markup import escape

    lines = [
        ("name", manifest.name),
        ("task", f"{manifest.task}: {manifest.target}"),
        ("reads", "\n".join(f"{column.name} ({column.modality})" for column in manifest.inputs)),
    ]
    if manifest.labels:
        shown = ", ".join(str(label) for label in manifest.labels[:20])
        more = f" and {len(manifest.labels) - 20} more" if len(manifest.labels) > 20 else ""
        lines.append(("answers", shown + more))
    lines += [
        ("model", manifest.winner),
        ("test", _figures(manifest.metrics, manifest.intervals)),
        ("measured", ", ".join(f"{name} {value:.4g}" for name, value in manifest.measured.items())),
        ("base", ", ".join(f"{name} {value}" for name, value in (manifest.base or {}).items())),
        ("made", f"{manifest.created} with {', '.join(f'{n} {v}' for n, v in manifest.libraries.items())}"),
        ("files", "\n".join(f"{name}  sha256 {digest[:12]}…" for name, digest in manifest.files.items())),
    ]
    return [(label, escape(text)) for label, text in lines if text.strip()]


def _figures(metrics: Mapping[str, float], intervals: Mapping[str, tuple[float, float]]) -> str:
    """Return the metrics, one a line, with their intervals where known."""
    lines = []
    for name, value in metrics.items():
        low_high = intervals.get(name)
        interval = f"  ({low_high[0]:.4f} to {low_high[1]:.4f})" if low_high else ""
        lines.append(f"{name} {value:.4f}{interval}")
    return "\n".join(lines)
