"""The name and the task inside a package, read without opening its model."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Literal


def name_of(path: str) -> str:
    """Return the name that a package's manifest gives, "" where it cannot be read."""
    return _read(path, "name")


def task_of(path: str) -> str:
    """Return the task that a package's manifest names, "" where it cannot be read."""
    return _read(path, "task")


def draws(path: str) -> bool:
    """Tell whether a package's manifest says how it draws pictures."""
    return _read(path, "image_generation") not in {"", "None"}


def does(path: str) -> Literal["predicts", "writes text", "draws pictures"]:
    """Return what a package is for, in words."""
    if draws(path):
        return "draws pictures"
    return "writes text" if task_of(path) == "generate" else "predicts"


def _read(path: str, key: str) -> str:
    """Return an entry of a package's manifest, "" where it cannot be read."""
    place = Path(path)
    try:
        if place.is_dir():
            text = (place / "manifest.json").read_bytes()
        else:
            with zipfile.ZipFile(place) as archive:
                text = archive.read("manifest.json")
        return str(json.loads(text)[key])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return ""
