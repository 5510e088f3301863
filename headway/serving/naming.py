"""The name inside a package, read without opening its model."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path


def name_of(path: str) -> str:
    """Return the name that a package's manifest gives, "" where it cannot be read."""
    place = Path(path)
    try:
        if place.is_dir():
            text = (place / "manifest.json").read_bytes()
        else:
            with zipfile.ZipFile(place) as archive:
                text = archive.read("manifest.json")
        return str(json.loads(text)["name"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return ""
