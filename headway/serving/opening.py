"""Packages opened in one worker, each as what it is: one that predicts, writes text or draws pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from headway.serving.deployments import Deployment, open_deployment
from headway.serving.logs import Log
from headway.serving.naming import does
from headway.serving.settings import Package, Settings
from headway.serving.telemetry import Telemetry

if TYPE_CHECKING:
    from headway.serving.drawing.deployment import ImageDeployment
    from headway.serving.service import Service
    from headway.serving.writing.deployment import TextDeployment

Opened: TypeAlias = "Deployment | TextDeployment | ImageDeployment"


@dataclass
class Opener:
    """Opens packages as the service was told to; `threads` is how many each model gets."""

    settings: Settings
    telemetry: Telemetry
    log: Log
    threads: int

    def open(self, package: Package, *, quick: bool = False) -> Opened:
        """Open a package and warm it up; of one that predicts the pace is measured, a `quick` one coarsely.

        May take seconds: call it outside the event loop. Raises `PackageError`.
        """
        kind = does(package.path)
        if kind == "predicts":
            return open_deployment(
                Path(package.path), name=package.name, limits=self.settings.limits, threads=self.threads,
                on_batch=self.telemetry.batch, quick=quick,
            )  # fmt: skip
        return self._open_writer(package) if kind == "writes text" else self._open_painter(package)

    def _open_writer(self, package: Package) -> TextDeployment:
        """Open a package that writes text with the engine that is wanted; say in the log which one it was."""
        from headway.serving.writing.deployment import open_writer

        opened = open_writer(
            Path(package.path), name=package.name, limits=self.settings.limits, threads=self.threads,
            engine=self.settings.engine,
            note=lambda model, why: self.log.write("vllm_not_used", model=model, error=why),
        )  # fmt: skip
        self.log.write("writes", model=opened.name, version=opened.version, engine=opened.engine.name)
        return opened

    def _open_painter(self, package: Package) -> ImageDeployment:
        from headway.serving.drawing.deployment import open_painter

        return open_painter(Path(package.path), name=package.name, threads=self.threads)


def put(service: Service, opened: Opened, *, swapped: bool = False) -> None:
    """Let a package answer from now on, in the place of the one of the same name."""
    from headway.serving.drawing.deployment import ImageDeployment

    if isinstance(opened, Deployment):
        service.put(opened, swapped=swapped)
    elif isinstance(opened, ImageDeployment):
        service.put_painter(opened, swapped=swapped)
    else:
        service.put_writer(opened, swapped=swapped)


def replaced_by(service: Service, opened: Opened) -> Opened | None:
    """Return what answers under the name of a package that was opened."""
    if isinstance(opened, Deployment):
        return service.registry.under(opened.name)
    return service.writers.get(opened.name) or service.painters.get(opened.name)


def retire(opened: Opened) -> None:
    """End what a package that is not to be served has started: one that writes has a thread of its own."""
    from headway.serving.drawing.deployment import ImageDeployment

    if not isinstance(opened, Deployment | ImageDeployment):
        opened.author.retire()
