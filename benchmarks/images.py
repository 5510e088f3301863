"""Images: `headway run` on folders and archives of pictures, beside a support vector machine on the very same pixels.

mnist: 10,000 images to learn from, the standard 10,000 to test on. brain_mri: most test images have an exact copy in
training; what counts is that this is said before the training, and the score on those that are left.
"""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from benchmarks.main_job import read_parts
from benchmarks.shared import Ran, find_data, print_table, run_headway

BUDGET = 120
# The peer reads pictures at most this large.
SIDE = 32


@dataclass(frozen=True)
class ImageJob:
    """Where the parts of a data set are, once written as a user would have them."""

    name: str
    prepare: Callable[[Path], tuple[str, str]]
    to_reach: str


def main() -> str:
    """Run all jobs and return the table."""
    header = ("images", "who", "accuracy", "seconds", "peak MB", "to reach", "note")
    rows = [row for job in JOBS for row in compete(job)]
    return print_table(f"Images, budget {BUDGET} s", header, rows)


def compete(job: ImageJob) -> list[list[str]]:
    """Return the lines of Headway and of its peer, on the same rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, test = job.prepare(folder)
        project = f"name: {job.name}\ndata: {data}\ntest: {test}\ntarget: label\nbudget: {{time: {BUDGET}s}}\n"
        ran = run_headway(project, folder)
        accuracy, seconds, rows = answer_by_kernel(ran)
    ours = ran.result["metrics"]["accuracy"]
    return [
        [
            job.name,
            f"Headway ({ran.result['winner']})",
            f"{ours:.4f}",
            f"{ran.spent.seconds:.1f}",
            f"{ran.spent.peak_mb:.0f}",
            job.to_reach,
            told_before_training(ran) or f"{rows:,} test rows",
        ],
        [
            "",
            "RBF-SVC",
            f"{accuracy:.4f}",
            f"{seconds:.1f}",
            "-",
            "",
            f"errors {(1 - accuracy) / max(1e-9, 1 - ours):.2f} times Headway's",
        ],
    ]


def told_before_training(ran: Ran) -> str:
    """Return what the run said of leaked test rows before its first candidate, or nothing."""
    before = ran.spent.printed.split("baseline", 1)[0]
    return next((line.strip("! ") for line in before.splitlines() if "also stand in training" in line), "")


def answer_by_kernel(ran: Ran) -> tuple[float, float, int]:
    """Return accuracy, seconds and test rows of a radial-basis support vector machine on grey pixels."""
    from sklearn.svm import SVC

    train, test = read_parts(ran.folder, "label")
    began = time.monotonic()
    model = SVC(C=5).fit(read_pixels(train), train["label"].to_list())
    seconds = time.monotonic() - began
    return float(np.mean(model.predict(read_pixels(test)) == test["label"].to_numpy())), seconds, len(test)


def read_pixels(rows: pl.DataFrame) -> np.ndarray:
    """Return grey values from 0 to 1, float32 `[n, height * width]`."""
    pixels = []
    for path in rows["image"]:
        with Image.open(path) as image:
            pixels.append(np.asarray(image.convert("L").resize((min(SIDE, image.width), min(SIDE, image.height)))))
    return np.stack(pixels).reshape(len(rows), -1).astype(np.float32) / 255


def prepare_mnist(folder: Path) -> tuple[str, str]:
    """Write the digits as a folder of PNG files per class."""
    train, test = find_data("mnist_train10k"), find_data("mnist_test10k")
    for digit in range(10):
        with gzip.open(train / f"{digit}.json.gz") as file:
            values = np.array(json.load(file)["data"]).reshape(-1, 28, 28)
        write_images(folder / "train", np.rint(values * 255).astype(np.uint8), [digit] * len(values))
    with gzip.open(test / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(test / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8).tolist()
    write_images(folder / "test", images, labels)
    return "train", "test"


def write_images(folder: Path, images: np.ndarray, labels: list[int]) -> None:
    """Write each image into the folder of its label."""
    for label in set(labels):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{number}.png", compress_level=1)


def prepare_brain_mri(_: Path) -> tuple[str, str]:
    """Name both parts inside the archive."""
    archive = find_data("brain_mri") / "images_128px.zip"
    return f"{archive}!Training", f"{archive}!Testing"


JOBS = (
    ImageJob("mnist", prepare_mnist, ">= .990 in 120 s"),
    ImageJob("brain_mri", prepare_brain_mri, "leaks told, honest score"),
)
