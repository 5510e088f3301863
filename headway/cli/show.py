"""`headway show`: what a package says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.messages import Language, call_metric, choose_language, say, shorten_list

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

    from headway.cli.places import find_package
    from headway.runtime.verifying import verify

    manifest = verify(find_package(package))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(manifest), ensure_ascii=False, indent=2))
        return
    from rich.table import Table

    language = choose_language(lang)
    table = Table.grid(padding=(0, 2))
    for label, text in describe(manifest, language):
        table.add_row(f"[bold]{say(f'show:{label}', language)}[/bold]", text)
    Console().print(table, highlight=False, markup=True)


def describe(manifest: Manifest, language: Language = "en") -> list[tuple[str, str]]:
    """Return the lines to show: a label and a text without markup."""
    from rich.markup import escape

    from headway.cli.check import describe_target

    lines = [
        ("name", manifest.name),
        ("task", f"{say(manifest.task, language)}: {manifest.target}".removesuffix(": ")),
        ("reads", "\n".join(f"{column.name} ({say(column.modality, language)})" for column in manifest.inputs)),
    ]
    if manifest.targets:
        lines.append(("answers", "\n".join(describe_target(target, language) for target in manifest.targets)))
    if manifest.labels:
        lines.append(("answers", shorten_list([str(label) for label in manifest.labels], 20, language)))
    measured = [
        f"{say(name, language)} {value:,.0f}" if value >= 1000 else f"{say(name, language)} {value:.4g}"
        for name, value in manifest.measured.items()
    ]
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())
    lines += [
        ("model", manifest.winner),
        ("test", _figures(manifest.metrics, manifest.intervals, language)),
        ("measured", ", ".join(measured)),
        ("base", ", ".join(f"{name} {value}" for name, value in (manifest.base or {}).items())),
        ("made", say("show:with", language).format(created=manifest.created, libraries=libraries)),
        ("files", "\n".join(f"{name}  sha256 {digest[:12]}…" for name, digest in manifest.files.items())),
    ]
    return [(label, escape(text)) for label, text in lines if text.strip()]


def _figures(metrics: Mapping[str, float], intervals: Mapping[str, tuple[float, float]], language: Language) -> str:
    """Return the metrics, one a line, with their intervals where known."""
    lines = []
    for name, value in metrics.items():
        low_high = intervals.get(name)
        words = say("range", language)
        interval = "  " + words.format(low=f"{low_high[0]:.4f}", high=f"{low_high[1]:.4f}") if low_high else ""
        lines.append(f"{call_metric(name, language)} {value:.4f}{interval}")
    return "\n".join(lines)
