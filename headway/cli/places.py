"""Find the package or the report that a user means by a path."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from headway.cli.messages import as_word
from headway.errors import RunError

# Runs that are named where the one that was asked for is not there.
_MOST_RUNS = 5


def find_package(path: Path) -> Path:
    """Return the package that `path` means: a package folder, a `.headway` file, or a run (also by `latest`).

    A run means what it ships: its compressed package, where one passed the gate and is still there, else its package.
    Raises `RunError` where there is none.
    """
    place = _follow(path)
    for package in (place, *(place / name for name in _shipped(_read_result(place)))):
        if package.is_file() or (package / "manifest.json").is_file():
            return package
    _fail("this is neither a package nor a finished run", path, "a package folder, a .headway file or a run folder")
    return place


def find_run(path: Path) -> Path:
    """Return the folder of the finished run that `path` means; raises `RunError` where there is none."""
    place = _follow(path)
    if not (place / "result.json").is_file():
        _fail("this is not a finished run", path, "a run folder with a result.json")
    return place


def _follow(path: Path) -> Path:
    """Return where `path` leads: `latest` may be a link, a text file, or left out."""
    if path.name == "latest" and path.is_file():
        return path.parent / path.read_text(encoding="utf-8").strip()
    inner = path / "latest"
    if path.is_dir() and (inner.exists() or inner.is_symlink()) and not (path / "result.json").exists():
        return _follow(inner)
    return path


def _shipped(result: dict[str, Any]) -> list[str]:
    """Return the places of the packages that a run ships, from its result: the smaller one first, if there is one."""
    smaller = (result.get("compression") or {}).get("package")
    return [str(name) for name in (smaller, result.get("package", "package")) if name]


def _read_result(run: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((run / "result.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _fail(what: str, path: Path, expected: str) -> None:
    """Raise with what stands there instead, and the nearest name beside it."""
    if path.exists():
        unfinished = (path / "project.json").exists() and not (path / "result.json").exists()
        fix = f"it is unfinished; continue it: headway run --resume {as_word(path)}" if unfinished else ""
        raise RunError(what, where=str(path), expected=expected, fix=fix)
    near, runs = _find_near(path), sorted(str(latest) for latest in Path("runs").glob("*/latest"))
    told = f"the runs here are {', '.join(runs[:_MOST_RUNS])}" if runs else "runs are under runs/<name>/"
    fix = f"did you mean {near}?" if near is not None else told
    raise RunError(what, where=str(path), expected=expected, got="nothing of that name", fix=fix)


def _find_near(path: Path) -> Path | None:
    """Return a path that exists and differs from `path` in one misspelt name, which may be that of a folder."""
    there = next((folder for folder in path.parents if folder.is_dir()), None)
    if there is None:
        return None
    missing, *rest = path.relative_to(there).parts
    for near in get_close_matches(missing, [entry.name for entry in there.iterdir()], n=3):
        if (found := there.joinpath(near, *rest)).exists():
            return found
    return None
