"""Read a project from its file or from Python arguments, and check it as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from headway.errors import DataError, Problem, ProjectError
from headway.project.complaints import word_errors, word_unknown
from headway.project.document import Document, Key, read_document
from headway.project.schema import Project
from headway.project.wishes import find_impossible

Families = Mapping[str, frozenset[str]]


def read(path: Path, *, families: Families | None = None) -> Project:
    """Read and check the project file at `path`, or `headway.yaml` in that folder.

    `families`: the known candidate families and the training settings each honours; None skips that check.
    Raises `ProjectError` with every problem found.
    """
    path = path / "headway.yaml" if path.is_dir() else path
    return _check(read_document(path), path.resolve().parent, families)


@contextmanager
def naming_lines(path: Path) -> Iterator[None]:
    """Let errors inside the block that name a key of the project file at `path` name its line, as those of `read` do.

    The key stands alone in `where`; what it holds, such as a column of `inputs`, in `got`.
    """
    try:
        yield
    except (DataError, ProjectError) as error:
        document = read_document(path / "headway.yaml" if path.is_dir() else path)
        placed = _sort([_place(problem, document) for problem in error.problems])
        if placed == error.problems:
            raise
        raise ProjectError(placed) from error


def build(
    *,
    data: str | Path,
    target: str | None = None,
    targets: Sequence[str] | Mapping[str, str | None] | None = None,
    name: str | None = None,
    folder: Path | None = None,
    test: str | Path | None = None,
    unlabelled: str | Path | None = None,
    inputs: Mapping[str, str] | None = None,
    ignore: Sequence[str] = (),
    task: str | None = None,
    budget: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    models: str | Sequence[object] | Mapping[str, object] = "auto",
    base: str | Path = "auto",
    metric: str | None = None,
    reading: Mapping[str, object] | None = None,
    cleaning: Mapping[str, object] | None = None,
    split: Mapping[str, object] | None = None,
    history: Mapping[str, object] | None = None,
    training: Mapping[str, object] | None = None,
    decision: Mapping[str, object] | None = None,
    compress: str | Mapping[str, object] = "auto",
    augment: str | None = None,
    descriptions: Mapping[str, str] | None = None,
    seed: int = 0,
    families: Families | None = None,
) -> Project:
    """Build a project from the same keys as the file has; relative paths start at `folder` (default: here).

    Raises `ProjectError` with every problem found.
    """
    values: dict[str, object] = {
        "name": name,
        "data": _as_text(data),
        "target": target,
        "targets": targets,
        "test": _as_text(test),
        "unlabelled": _as_text(unlabelled),
        "inputs": inputs,
        "ignore": ignore,
        "task": task,
        "budget": budget,
        "limits": limits,
        "models": models,
        "base": _as_text(base),
        "metric": metric,
        "reading": reading,
        "cleaning": cleaning,
        "split": split,
        "history": history,
        "training": training,
        "decision": decision,
        "compress": compress,
        "augment": augment,
        "descriptions": descriptions,
        "seed": seed,
    }
    given = {key: _freeze(value) for key, value in values.items() if value is not None}
    return _check(Document("headway.run", given), (folder or Path.cwd()).resolve(), families)


def change_time(project: Project, time: str | float) -> Project:
    """Return the project with another time budget, such as `"60s"`; raises `ProjectError`."""
    try:
        budget = type(project.budget).model_validate({**project.budget.model_dump(), "time": time})
    except ValidationError as error:
        raise ProjectError(word_errors(error, Document("--budget", {"time": time}))) from None
    return project.model_copy(update={"budget": budget})


def default_name(data: object, folder: Path) -> str:
    """Return the data file's stem, e.g. `reviews` of `data/reviews.csv.zip`, safe as the name of a folder."""
    if not isinstance(data, str):
        return folder.name or "project"
    stem = data.split("://")[-1].split("?")[0].rstrip("/\\").replace("\\", "/").split("/")[-1]
    stem = re.sub(r"[^\w.-]+", "-", stem.split(".")[0] if "." in stem.lstrip(".") else stem).strip("-.")
    return stem or folder.name or "project"


def _check(document: Document, folder: Path, families: Families | None) -> Project:
    """Return the checked project; raises `ProjectError` with the document's and the schema's problems together."""
    problems = list(document.problems)
    if "folder" in document.values:
        problems.append(word_unknown(("folder",), document.place(("folder",))))
    values = {key: value for key, value in document.values.items() if value is not None}
    values = {"name": default_name(values.get("data"), folder), **values, "folder": folder}
    try:
        project = Project.model_validate(values)
    except ValidationError as error:
        problems += word_errors(error, document)
        project = None
    problems += find_impossible(document, families)
    if problems or project is None:
        raise ProjectError(_sort(_without_echoes(problems)))
    return project


def _place(problem: Problem, document: Document) -> Problem:
    keys: tuple[Key, ...] = tuple(problem.where.split("."))
    if keys[0] not in document.values:
        return problem
    return replace(problem, where=document.place((*keys, problem.got)))


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _freeze(value: Any) -> Any:
    """Return lists as tuples and mapping keys as text, as the file reader does."""
    if isinstance(value, Mapping):
        return {_word_key(key): _freeze(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_freeze(item) for item in value)
    return value


def _word_key(key: object) -> Key:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _without_echoes(problems: Sequence[Problem]) -> list[Problem]:
    """Leave out that a key is missing where another one is told to be a misspelling of it."""
    meant = [f'the key "{key}" is missing' for key in Project.model_fields
             if any(problem.fix.endswith(f'did you mean "{key}"?') for problem in problems)]  # fmt: skip
    return [problem for problem in problems if problem.what not in meant]


def _sort(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the problems in the order of the file, each once."""

    def line(problem: Problem) -> int:
        number = problem.where.rpartition(":")[2]
        return int(number) if number.isdigit() else 0

    return tuple(sorted(dict.fromkeys(problems), key=line))
