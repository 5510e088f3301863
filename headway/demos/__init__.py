"""Examples on real data that a user can run and edit."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

DemoName = Literal["reviews", "digits", "diagnosis"]
DEMOS: tuple[DemoName, ...] = ("reviews", "digits", "diagnosis")


@dataclass(frozen=True)
class Demo:
    """One example.

    `write_data` puts the raw files into a folder; `project` and `readme` are the texts of the files beside them;
    `ask` returns one row to ask the finished package about, given the demo's folder.
    """

    name: DemoName
    project: str
    readme: str
    write_data: Callable[[Path], None]
    ask: Callable[[Path], Mapping[str, Any]]


def load_demo(name: DemoName) -> Demo:
    """Return the demo called `name`."""
    demo: Demo = importlib.import_module(f"headway.demos.{name}").DEMO
    return demo


def write_demo(demo: Demo, folder: Path) -> Path:
    """Write the demo's files into `folder` and return its project file; files that are there already stay as they are.

    Raises `MissingExtraError` where the demo's data come with an extra that is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    demo.write_data(folder)
    project = folder / "headway.yaml"
    for path, text in ((project, demo.project), (folder / "README.md", demo.readme)):
        if not path.exists():
            path.write_text(text, encoding="utf-8")
    return project
