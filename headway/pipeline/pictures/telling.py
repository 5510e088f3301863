"""Everything a run that draws has to tell, for the report, the model card and `result.json`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headway.evaluation.pictures.judged import DISTANCE, Drawing
from headway.package.measuring import Measured
from headway.pipeline.attempt import Attempt
from headway.pipeline.folder import PACKAGE
from headway.pipeline.pictures.judging import Judged
from headway.pipeline.pictures.painting import GAN
from headway.pipeline.pictures.storage import Painting
from headway.pipeline.preparing import Prepared
from headway.pipeline.telling import count_rows, package_facts, with_circumstances
from headway.report.content import ReportContent
from headway.training.outcome import Outcome


def tell_pictures(
    attempt: Attempt, prepared: Prepared, painting: Painting, judged: Judged, measured: Measured
) -> ReportContent:
    """Gather everything that the report tells."""
    dataset = prepared.dataset
    example: dict[str, object] = {"label": painting.labels[0]} if painting.labels else {}
    counts = np.bincount(dataset.y, minlength=max(1, len(dataset.labels)))
    content = ReportContent(
        name=attempt.project.name,
        task="generate",
        target=dataset.inputs[0].name,
        labels=dataset.labels,
        inputs=dataset.inputs,
        rows=count_rows(prepared),
        scores=judged.scores,
        winner=GAN,
        metric=DISTANCE,
        outcomes=(outcome_of(painting, measured),),
        balance={str(label): int(count) for label, count in zip(dataset.labels, counts, strict=False)},
        drawing=judged.drawing,
        package=replace(package_facts(PACKAGE, measured), example=example, draws=True),
    )
    return with_circumstances(content, attempt, prepared)


def outcome_of(painting: Painting, measured: Measured) -> Outcome:
    """Return the generator as the one candidate of its run, with the figures of its best look."""
    best = painting.looks[painting.best]
    return Outcome(
        GAN,
        "won",
        "; ".join(painting.notes),
        metrics={DISTANCE: best.distance, "picture_variety": best.variety},
        fit_seconds=painting.seconds,
        latency_p50_ms=measured.latency_p50_ms,
        latency_p95_ms=measured.latency_p95_ms,
        size_mb=measured.size_mb,
        memory_mb=measured.memory_mb,
        settings=painting.settings,
        curves=painting.curves,
    )


def describe_drawing(drawing: Drawing) -> dict[str, Any]:
    """Return the content of `result.json` about the pictures."""
    return {
        "judge": {"accuracy": drawing.judge_accuracy, "by_groups": drawing.by_groups},
        "looks": [
            {"done": look.done, "pictures": look.pictures, "frechet_distance": look.distance, "variety": look.variety}
            for look in drawing.looks
        ],
        "best": drawing.best,
        "drawn": drawing.drawn,
        "notes": list(drawing.notes),
    }
