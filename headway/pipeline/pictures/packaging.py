"""The generator as a package."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from headway.package.measuring import Measured, measure_drawing
from headway.package.writing import archive_path, write_image_generator
from headway.pipeline.attempt import Attempt
from headway.pipeline.events import Remark
from headway.pipeline.folder import PACKAGE
from headway.pipeline.pictures.judging import Judged
from headway.pipeline.pictures.painting import GAN
from headway.pipeline.pictures.storage import Painting
from headway.pipeline.pictures.telling import tell_pictures
from headway.pipeline.plain import plain_limits
from headway.pipeline.preparing import Prepared
from headway.report.card import model_card
from headway.report.content import ReportContent
from headway.runtime.manifest import Manifest


@dataclass(frozen=True)
class PackagedPainting:
    """The package folder, its one-file form, what was measured on it, and all that the report will tell."""

    folder: Path
    archive: Path
    measured: Measured
    content: ReportContent


def package_painting(attempt: Attempt, prepared: Prepared, painting: Painting, judged: Judged) -> PackagedPainting:
    """Measure the generator and write it; it was proven when it was trained."""
    with attempt.stage("package") as note:
        manifest = describe_painting(attempt, prepared, painting, judged)
        measured = measure_drawing(painting.onnx, manifest)
        tell_of_limits(attempt, measured)
        figures = {name: figure for name, figure in measured.figures().items() if not math.isnan(figure)}
        content = tell_pictures(attempt, prepared, painting, judged, measured)
        folder = attempt.folder.path / PACKAGE
        manifest = describe_painting(attempt, prepared, painting, judged, figures)
        write_image_generator(folder, painting.onnx, manifest, card=model_card(content))
        note.text = f"{measured.size_mb:.1f} MB, {measured.latency_p50_ms:.2f} ms a picture"
    return PackagedPainting(folder, archive_path(folder, manifest.name), measured, content)


def describe_painting(
    attempt: Attempt,
    prepared: Prepared,
    painting: Painting,
    judged: Judged,
    measured: dict[str, float] | None = None,
) -> Manifest:
    """Return what the package says about itself."""
    return Manifest(
        name=attempt.project.name,
        task="generate",
        target=prepared.dataset.inputs[0].name,
        inputs=(),
        feeds=(),
        labels=painting.labels,
        image_generation=painting.facts,
        winner=GAN,
        metrics=dict(judged.scores.metrics),
        measured=measured or {},
        seed=attempt.project.seed,
    )


def tell_of_limits(attempt: Attempt, measured: Measured) -> None:
    """Say so where the generator needs more than the project allows; there is no other to choose."""
    for name, ceiling in plain_limits(attempt.project.limits).items():
        value = getattr(measured, name)
        if value > ceiling:
            attempt.listen(Remark(f"measured on what ships, {name} is {value:.3g}, over the limit of {ceiling:g}"))
