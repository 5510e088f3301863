"""The JSON Schema of the project file, for editors, from the same source as the checks."""

from __future__ import annotations

from typing import Any

from headway.project.schema import Project


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a project file; numbers with a unit may be text."""
    schema = Project.model_json_schema(mode="validation")
    # These are filled in by the reader: the folder always, the name where the file has none.
    del schema["properties"]["folder"]
    schema["required"] = ["data"]
    what = [{"required": ["target"]}, {"required": ["targets"]}]
    schema["anyOf"] = [*what, {"properties": {"task": {"const": "generate"}}, "required": ["task"]}]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Headway project",
        "description": "A project file of Headway: what to learn from, what to predict, and what it may cost.",
    }
    return {**head, **{key: value for key, value in schema.items() if key not in head}}
