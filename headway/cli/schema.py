"""`headway schema`: the JSON Schema of the project file."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of the project file, for editors."""
    from headway.project.json_schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
