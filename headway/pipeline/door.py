"""The door for Python: `headway.run` takes a project file, or the same keys as arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from headway.errors import Problem, ProjectError

if TYPE_CHECKING:
    from headway.pipeline.events import Event
    from headway.project import Project
    from headway.runtime import Model


@dataclass(frozen=True)
class FinishedRun:
    """A finished run: its folder, its report, and the content of its `result.json`."""

    folder: Path
    report: Path
    result: Mapping[str, Any] = field(repr=False)
    package_path: Path

    @cached_property
    def package(self) -> Model:
        """The package that was made, opened: `run.package.predict([{"review": "..."}])`."""
        from headway.runtime import load

        return load(self.package_path)


def run(
    project: str | Path | None = None,
    *,
    data: str | Path | None = None,
    target: str | None = None,
    targets: Sequence[str] | Mapping[str, str | None] | None = None,
    name: str | None = None,
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
    out: str | Path | None = None,
    resume: str | Path | None = None,
    lang: Literal["en", "zh"] = "en",
    listen: Callable[[Event], None] | None = None,
) -> FinishedRun:
    """Run a project file, or the project that the keyword arguments describe; all keys are those of the file.

    `out`: where run folders go, `runs` by default. `resume`: go on with this unfinished run instead; `budget` may give
    it more `time` in all. `listen` is called with every event. Raises `HeadwayError`: what was wrong, where, and the
    next step.
    """
    from headway.models.family import discover
    from headway.pipeline.events import ignore as listen_to_nothing
    from headway.pipeline.run import run as run_pipeline
    from headway.project import build, naming_lines, read

    families = {family: card.honours for family, card in discover().cards.items()}
    asked: Project | None = None
    if project is not None and any(each is not None for each in (data, target, targets)):
        raise _error("a project file and its keys at once", "either a project file, or data= and target=")
    if project is not None:
        asked = read(Path(project), families=families)
    elif resume is None:
        if data is None or (target is None and targets is None and task != "generate"):
            raise _error("nothing to run", "a project file, or data= and target=")
        asked = build(
            data=data,
            target=target,
            targets=targets,
            name=name,
            test=test,
            unlabelled=unlabelled,
            inputs=inputs,
            ignore=ignore,
            task=task,
            budget=budget,
            limits=limits,
            models=models,
            base=base,
            metric=metric,
            reading=reading,
            cleaning=cleaning,
            split=split,
            history=history,
            training=training,
            decision=decision,
            compress=compress,
            augment=augment,
            descriptions=descriptions,
            seed=seed,
            families=families,
        )
    with nullcontext() if project is None else naming_lines(Path(project)):
        done = run_pipeline(
            asked,
            out=None if out is None else Path(out),
            resume=None if resume is None else Path(resume),
            time=None if resume is None else _time_of(budget),
            lang=lang,
            listen=listen or listen_to_nothing,
        )
    return FinishedRun(done.folder, done.report, done.result, done.package)


def _time_of(budget: Mapping[str, object] | None) -> str | float | None:
    """Return the time that a resumed run is given in all; nothing else of its project may be changed."""
    given = dict(budget or {})
    time = given.pop("time", None)
    if given or not isinstance(time, str | float | int | None):
        raise _error("a resumed run keeps its project", 'budget={"time": "10m"}, more time in all than it had')
    return time


def _error(what: str, expected: str) -> ProjectError:
    return ProjectError((Problem(what, "headway.run", expected),))
