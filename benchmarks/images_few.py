"""Few images: whether the tournament by itself picks the better of a pretrained encoder and a small network.

mnist: 100 images a class to learn from, 200 a class of the standard test images. brain_mri: 50 scans a class to learn
from and 50 others to test on, both of Training (its Testing part leaks). The peer is the same run without base models.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.images import prepare_mnist
from benchmarks.shared import Ran, find_data, print_table, run_headway

BUDGET = 120
WITHOUT = "[pixels_linear, cnn]"


@dataclass(frozen=True)
class FewJob:
    """A data set and what writes its parts, `train` and `test`, into a folder."""

    name: str
    prepare: Callable[[Path], None]


def main() -> str:
    """Run all jobs and return the table."""
    header = (
        "images",
        "who",
        "wins",
        "accuracy",
        "log loss",
        "seconds",
        "peak MB",
        "candidates (accuracy in validation)",
    )
    rows = [row for job in JOBS for row in compete(job)]
    return print_table(f"Few images, budget {BUDGET} s", header, rows)


def compete(job: FewJob) -> list[list[str]]:
    """Return the lines with and without base models, on the same rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job.prepare(folder)
        project = f"name: NAME\ndata: {folder}/train\ntest: {folder}/test\ntarget: label\nbudget: {{time: {BUDGET}s}}\n"
        lines = []
        for who, models in (("Headway, left to itself", "auto"), ("Headway without base models", WITHOUT)):
            place = folder / models.strip("[]").replace(", ", "-")
            place.mkdir()
            ran = run_headway(project.replace("NAME", job.name) + f"models: {models}\n", place)
            lines.append([job.name, who, *figures(ran)])
    return lines


def figures(ran: Ran) -> list[str]:
    """Return a run's winner, its figures on the test part, its cost, and how the candidates did."""
    metrics: Mapping[str, Any] = ran.result["metrics"]
    return [
        ran.result["winner"],
        f"{metrics['accuracy']:.4f}",
        f"{metrics['log_loss']:.4f}" if "log_loss" in metrics else "-",
        f"{ran.spent.seconds:.0f}",
        f"{ran.spent.peak_mb:.0f}",
        ", ".join(describe(each) for each in ran.result["candidates"]),
    ]


def describe(candidate: Mapping[str, Any]) -> str:
    """Return a candidate with its accuracy in validation, or why there is none."""
    accuracy = (candidate.get("metrics") or {}).get("accuracy")
    return f"{candidate['name']} {candidate['status'] if accuracy is None else format(accuracy, '.3f')}"


def prepare_few_digits(folder: Path) -> None:
    """Keep the first images of each digit."""
    prepare_mnist(folder)
    for part, most in (("train", 100), ("test", 200)):
        for digit in range(10):
            for image in sorted((folder / part / str(digit)).iterdir())[most:]:
                image.unlink()


def prepare_few_scans(folder: Path) -> None:
    """Write 50 scans of each kind for either part."""
    with zipfile.ZipFile(find_data("brain_mri") / "images_128px.zip") as archive:
        names = [name for name in archive.namelist() if "Training/" in name and not name.endswith("/")]
        for kind in sorted({Path(name).parent.name for name in names}):
            of_kind = sorted(name for name in names if Path(name).parent.name == kind)
            for part, chosen in (("train", of_kind[:200:4]), ("test", of_kind[2:202:4])):
                (folder / part / kind).mkdir(parents=True)
                for name in chosen:
                    (folder / part / kind / Path(name).name).write_bytes(archive.read(name))


JOBS = (FewJob("mnist", prepare_few_digits), FewJob("brain_mri", prepare_few_scans))
