"""A package that draws pictures behind one name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headway.runtime.image_generation import ImageGenerator, load_image_generator
from headway.serving.deployments import version_of
from headway.serving.refusals import too_busy, too_late

# How long one request takes, for telling a client when to come back.
_GUESS = 0.1


@dataclass(eq=False)
class ImageDeployment:
    """One open package: ready to draw. One request is drawn at a time, with all threads."""

    name: str
    version: str
    generator: ImageGenerator
    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def draw(self, count: int, *, label: str | None, seed: int | None, seconds: float, queue: int) -> np.ndarray:
        """Return uint8 pictures `[count, height, width, colours]`, drawn outside of the event loop.

        Raises `RefusalError`: 429 where `queue` requests wait already, 504 for one whose turn did not come in time.
        """
        if self.waiting >= queue:
            raise too_busy(_GUESS * self.waiting)
        self.waiting += 1
        try:
            await asyncio.wait_for(self.turn.acquire(), seconds)
        except TimeoutError as error:
            raise too_late(seconds) from error
        finally:
            self.waiting -= 1
        try:
            return await asyncio.to_thread(self.generator.generate, count, label=label, seed=seed)
        finally:
            self.turn.release()


def open_painter(path: Path, *, name: str | None, threads: int) -> ImageDeployment:
    """Open a package that draws pictures; `name` None takes the package's own. Raises `PackageError`."""
    return deploy_painter(load_image_generator(path, threads=threads), name=name)


def deploy_painter(generator: ImageGenerator, *, name: str | None) -> ImageDeployment:
    """Return the deployment of a package that is open already."""
    generator.generate(1, seed=0)  # so that the first request is not the slow one
    return ImageDeployment(name or generator.manifest.name, version_of(generator.manifest), generator)
