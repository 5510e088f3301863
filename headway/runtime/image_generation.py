"""An open package that draws pictures."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headway.errors import InputError, PackageError
from headway.runtime.archive import MODEL, read_package
from headway.runtime.manifest import ImageGeneration, Manifest
from headway.runtime.session import cores, open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from PIL import Image

_AT_ONCE = 64
_INPUTS = {"noise": "tensor(float)", "label": "tensor(int64)"}
# Pixels between the pictures of a grid, and how bright they are.
GAP, PAPER = 2, 255


@dataclass(frozen=True)
class ImageGenerator:
    """A package that draws pictures; safe to share between threads."""

    manifest: Manifest
    session: InferenceSession

    @property
    def facts(self) -> ImageGeneration:
        """Return how it draws."""
        assert self.manifest.image_generation is not None
        return self.manifest.image_generation

    def generate(
        self, count: int = 1, *, label: object = None, labels: Sequence[object] | None = None, seed: int | None = None
    ) -> np.ndarray:
        """Return so many pictures, uint8 `[count, height, width, colours]`.

        `label`: what all shall show, or `labels` one for each; without, each is drawn with the frequency it has in
        training. With a `seed` the n-th picture is the same each time, however many are asked for. Raises `InputError`.
        """
        if count < 1:
            raise InputError("there is nothing to draw", where="count", expected="1 or more", got=str(count))
        if seed is not None and seed < 0:
            raise InputError("the seed cannot be used", where="seed", expected="0 or more", got=str(seed))
        if labels is not None and len(labels) != count:
            raise InputError(
                "the labels are not those of the pictures", expected=f"{count} labels", got=str(len(labels))
            )
        wanted = [label] * count if labels is None else list(labels)
        start = int(np.random.default_rng().integers(2**62)) if seed is None else seed
        noise, places = self._drawn(start, wanted)
        parts = [self._run(noise[at : at + _AT_ONCE], places[at : at + _AT_ONCE]) for at in range(0, count, _AT_ONCE)]
        return np.concatenate(parts)

    def place_of(self, label: object) -> int:
        """Return the place of a label, also one that is given as text; raises `InputError` with the nearest."""
        names = {str(known).casefold(): place for place, known in enumerate(self.manifest.labels)}
        word = str(label).casefold()
        if word in names:
            return names[word]
        if not names:
            raise InputError("this package draws pictures of one kind", where="label", expected="no label",
                             got=repr(label)[:80])  # fmt: skip
        near = difflib.get_close_matches(word, names, n=1)
        shown = ", ".join(str(known) for known in self.manifest.labels[:20])
        more = ", ..." if len(names) > 20 else ""
        fix = f"did you mean {self.manifest.labels[names[near[0]]]}?" if near else ""
        got = repr(label)[:80]
        raise InputError("there is no such label", where="label", expected=f"one of {shown}{more}", got=got, fix=fix)

    def _drawn(self, seed: int, wanted: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 noise `[n, noise]` and int64 places of labels `[n]`; each picture draws its own."""
        noise, places = np.empty((len(wanted), self.facts.noise), np.float32), np.zeros(len(wanted), np.int64)
        for number, label in enumerate(wanted):
            random = np.random.default_rng([seed, number])
            noise[number] = random.standard_normal(self.facts.noise)
            if label is not None:
                places[number] = self.place_of(label)
            elif self.manifest.labels:
                shares = np.asarray(self.facts.shares)
                places[number] = random.choice(len(shares), p=shares / shares.sum())
        return noise, places

    def _run(self, noise: np.ndarray, places: np.ndarray) -> np.ndarray:
        given = {"noise": noise, "label": places} if self.manifest.labels else {"noise": noise}
        try:
            pixels: np.ndarray = self.session.run(["pixels"], given)[0]
        except Exception as error:  # onnxruntime raises its own classes and plain RuntimeError
            raise PackageError("the generator failed", got=" ".join(str(error).split())[:300]) from error
        wanted = (len(noise), self.facts.height, self.facts.width, 1 if self.facts.mode == "L" else 3)
        if pixels.shape != wanted or pixels.dtype != np.uint8:
            raise PackageError("the generator draws in the wrong shape", expected=f"uint8 {wanted}",
                               got=f"{pixels.dtype} {pixels.shape}")  # fmt: skip
        return pixels


def load_image_generator(path: str | Path, *, threads: int | None = None) -> ImageGenerator:
    """Open a package that draws pictures, a folder or a `.headway` file, and prove it first.

    Raises `PackageError` for anything that is not a whole, unchanged, understood package of this kind.
    """
    manifest, files = read_package(Path(path))
    if manifest.image_generation is None:
        raise PackageError("this package draws no pictures", where=str(path), expected="a package made from pictures",
                           got=f"the task {manifest.task}")  # fmt: skip
    return assemble_image_generator(manifest, files, threads=threads)


def assemble_image_generator(
    manifest: Manifest, files: Mapping[str, bytes], *, threads: int | None = None
) -> ImageGenerator:
    """Return the generator of a manifest and its files, which are not verified again."""
    session = open_session(files[MODEL], threads=threads or cores())
    wanted = _INPUTS if manifest.labels else {"noise": _INPUTS["noise"]}
    given = {node.name: node.type for node in session.get_inputs()}
    outputs = {node.name: node.type for node in session.get_outputs()}
    if given != wanted or outputs != {"pixels": "tensor(uint8)"}:
        raise PackageError("the graph draws no pictures", expected=f"{', '.join(wanted)} in, uint8 pixels out",
                           got=f"{given} in, {outputs} out"[:300])  # fmt: skip
    generator = ImageGenerator(manifest, session)
    generator.generate(1, seed=0)
    return generator


def as_image(pixels: np.ndarray) -> Image.Image:
    """Return uint8 pixels `[height, width, 1 or 3]` as a Pillow image."""
    from PIL import Image

    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def as_grid(pixels: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Return pictures `[n, height, width, colours]` side by side on white paper, about as wide as high."""
    count, height, width, colours = pixels.shape
    across = columns or int(np.ceil(np.sqrt(count)))
    down = -(-count // across)
    paper = np.full((down * (height + GAP) - GAP, across * (width + GAP) - GAP, colours), PAPER, np.uint8)
    for number, picture in enumerate(pixels):
        top, left = number // across * (height + GAP), number % across * (width + GAP)
        paper[top : top + height, left : left + width] = picture
    return paper
