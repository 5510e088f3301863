"""A judge and a trained generator on disk, so that a killed run need not train them again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from headway.compute.drafts import whole_folder
from headway.evaluation.pictures.judge import Judge
from headway.evaluation.pictures.judged import LookedAt
from headway.models.family import Curve, Settings
from headway.runtime.archive import MODEL
from headway.runtime.image_generation import ImageGenerator, assemble_image_generator
from headway.runtime.manifest import ImageGeneration, Label, Manifest

_GRAPH, _FACTS, _LOOKS = "graph.onnx", "facts.json", "looks.npz"


@dataclass(frozen=True)
class Painting:
    """A trained generator as it ships, its judge, and how the training went.

    `facts` and `labels` are those of the manifest; the `shares` in them are the frequencies of the labels in training.
    """

    onnx: bytes
    judge: Judge
    facts: ImageGeneration
    labels: tuple[Label, ...]
    settings: Settings
    curves: tuple[Curve, ...]
    looks: tuple[LookedAt, ...]
    best: int
    seconds: float
    notes: tuple[str, ...] = ()

    def generator(self) -> ImageGenerator:
        """Return the generator, open as a package of it will be."""
        manifest = Manifest("graph", "generate", "", (), (), labels=self.labels, image_generation=self.facts)
        return assemble_image_generator(manifest, {MODEL: self.onnx})


def save_judge(folder: Path, judge: Judge) -> None:
    """Write a judge, all or nothing."""
    with whole_folder(folder) as draft:
        _write_judge(draft, judge)


def load_judge(folder: Path) -> Judge | None:
    """Return the judge kept in `folder`, or None."""
    if not folder.exists():
        return None
    plain = json.loads((folder / "judge.json").read_text())
    return Judge((folder / "judge.onnx").read_bytes(), **plain)


def save_painting(folder: Path, painting: Painting) -> None:
    """Write a trained generator with its judge, all or nothing."""
    plain = {
        "facts": asdict(painting.facts),
        "labels": list(painting.labels),
        "settings": dict(painting.settings),
        "curves": [asdict(curve) for curve in painting.curves],
        "looks": [[look.done, look.pictures, look.distance, look.variety] for look in painting.looks],
        "best": painting.best,
        "seconds": painting.seconds,
        "notes": list(painting.notes),
    }
    with whole_folder(folder) as draft:
        _write_judge(draft, painting.judge)
        (draft / _GRAPH).write_bytes(painting.onnx)
        (draft / _FACTS).write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
        np.savez_compressed(draft / _LOOKS, shown=np.stack([look.shown for look in painting.looks]))


def load_painting(folder: Path) -> Painting | None:
    """Return the trained generator kept in `folder`, or None."""
    judge = load_judge(folder)
    if judge is None:
        return None
    plain = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    with np.load(folder / _LOOKS) as arrays:
        shown = arrays["shown"]
    facts = {**plain["facts"], "shares": tuple(plain["facts"]["shares"])}
    return Painting(
        (folder / _GRAPH).read_bytes(),
        judge,
        ImageGeneration(**facts),
        tuple(plain["labels"]),
        plain["settings"],
        tuple(Curve(each["name"], tuple(each["train"]), tuple(each["valid"])) for each in plain["curves"]),
        tuple(_look_of(figures, pictures) for figures, pictures in zip(plain["looks"], shown, strict=True)),
        plain["best"],
        plain["seconds"],
        tuple(plain["notes"]),
    )


def _look_of(figures: Sequence[float], shown: np.ndarray) -> LookedAt:
    done, pictures, distance, variety = figures
    return LookedAt(done, int(pictures), distance, variety, shown)


def _write_judge(folder: Path, judge: Judge) -> None:
    (folder / "judge.onnx").write_bytes(judge.onnx)
    plain = {"by_groups": judge.by_groups, "accuracy": judge.accuracy}
    (folder / "judge.json").write_text(json.dumps(plain))
