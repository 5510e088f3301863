"""Images: the two families against a radial-basis support vector machine, on the same rows in the same run.

    python -m benchmarks.images [mnist] [brain_mri] [digits] [houses]

Data is looked for in the folder named by HEADWAY_DATA (default ../shared/data); a set that is not there is skipped.
Seconds are wall time of one `fit`, with the images read from scratch.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import polars as pl
from PIL import Image

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.modalities.image.decoding import decoded
from headway.models.family import Examples, discover
from headway.runtime.feeds import encode
from headway.tasks import Classify, Regress, Task
from headway.tasks.recipe import Recipe

DATA = Path(os.environ.get("HEADWAY_DATA", "../shared/data"))


@dataclass(frozen=True)
class Work:
    """Rows to train, to validate and to test on."""

    name: str
    task: Task
    train: Examples
    valid: Examples
    test: Examples
    seconds: float


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def examples(cells: list[list[object]], y: np.ndarray) -> Examples:
    names = [f"image{index}" for index in range(len(cells))]
    return Examples(
        pl.DataFrame(dict(zip(names, cells, strict=True))), tuple(Column(name, "image") for name in names), y
    )


def held_out(rows: Examples, share: float) -> tuple[Examples, Examples]:
    order = np.random.default_rng(0).permutation(len(rows))
    cut = round(len(rows) * share)
    return rows.take(order[cut:]), rows.take(order[:cut])


def mnist(_: Path) -> Work:
    pixels, y = [], []
    for digit in range(10):
        with gzip.open(DATA / "mnist_train10k" / f"{digit}.json.gz") as file:
            values = np.rint(np.array(json.load(file)["data"]) * 255).astype(np.uint8).reshape(-1, 28, 28)
        pixels.append(values)
        y += [digit] * len(values)
    with gzip.open(DATA / "mnist_test10k" / "t10k-images-idx3-ubyte.gz") as file:
        test = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(DATA / "mnist_test10k" / "t10k-labels-idx1-ubyte.gz") as file:
        test_y = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)
    rows = examples([[png(image) for image in np.concatenate(pixels)]], np.array(y, np.int64))
    train, valid = held_out(rows, 0.1)
    return Work("mnist", Classify(tuple(range(10))), train, valid, examples([[png(i) for i in test]], test_y), 120)


def brain_mri(folder: Path) -> Work:
    with zipfile.ZipFile(DATA / "brain_mri" / "images_128px.zip") as archive:
        archive.extractall(folder)
    with (DATA / "brain_mri" / "exact_duplicate_groups.csv").open() as file:
        groups = {line["path"]: line["group"] for line in csv.DictReader(file)}
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))
    seen = {groups.get(path, path) for path in files if path.startswith("Training")}
    labels = sorted({path.split("/")[1] for path in files})
    part = {
        "Training": [path for path in files if path.startswith("Training")],
        "Testing": [path for path in files if path.startswith("Testing") and groups.get(path, path) not in seen],
    }
    rows, test = (
        examples([[str(folder / path) for path in paths]], np.array([labels.index(p.split("/")[1]) for p in paths]))
        for paths in part.values()
    )
    train, valid = held_out(rows, 0.2)
    return Work(f"brain_mri ({len(test)} unseen)", Classify(tuple(labels)), train, valid, test, 120)


def digits(_: Path) -> Work:
    from sklearn.datasets import load_digits

    data = load_digits()
    cells = [png(np.minimum(image * 16, 255).astype(np.uint8)) for image in data.images]
    rest, test = held_out(examples([cells], data.target.astype(np.int64)), 0.2)
    train, valid = held_out(rest, 0.2)
    return Work("digits", Classify(tuple(range(10))), train, valid, test, 60)


def houses(folder: Path) -> Work:
    with zipfile.ZipFile(DATA / "houses" / "images_128px.zip") as archive:
        archive.extractall(folder)
    prices = [line.split()[-1] for line in (DATA / "houses" / "HousesInfo.txt").read_text().splitlines() if line]
    rooms = ("bathroom", "bedroom", "frontal", "kitchen")
    cells = [[str(folder / "images" / f"{house + 1}_{room}.jpg") for house in range(len(prices))] for room in rooms]
    rest, test = held_out(examples(cells, np.array(prices, np.float32)), 0.2)
    train, valid = held_out(rest, 0.2)
    return Work("houses", Regress(), train, valid, test, 60)


def score(task: Task, answers: np.ndarray, y: np.ndarray) -> float:
    """Return the accuracy, or R2."""
    if task.kind == "classify":
        return float((answers.argmax(1) == y).mean())
    return float(1 - ((answers.reshape(-1) - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def measure(work: Work, family: str) -> tuple[float, float, float, str]:
    """Return the test score of the exported graph, fit seconds, milliseconds for one image, and a note."""
    decoded.clear()
    began = time.perf_counter()
    module = discover().load(family)
    fitted = module.fit(
        work.train, work.valid, work.task, Recipe(), settings=None, seed=0, clock=Clock.after(work.seconds)
    )
    graph = fitted.graph()
    seconds = time.perf_counter() - began
    session = onnxruntime.InferenceSession(graph.onnx, providers=["CPUExecutionProvider"])
    inputs = {}
    for feed in graph.feeds:
        inputs |= encode(feed, {name: work.test.rows[name].to_list() for name in feed.columns}, files={})
    answers = np.concatenate(
        [
            session.run(None, {name: array[start : start + 256] for name, array in inputs.items()})[0]
            for start in range(0, len(work.test), 256)
        ]
    )
    gap = float(np.abs(answers.reshape(fitted.predict(work.test.rows).shape) - fitted.predict(work.test.rows)).max())
    one = work.test.rows[:1]
    taken = []
    for _ in range(50):
        began = time.perf_counter()
        fed = {}
        for feed in graph.feeds:
            fed |= encode(feed, {name: one[name].to_list() for name in feed.columns}, files={})
        session.run(None, fed)
        taken.append(time.perf_counter() - began)
    note = f"gap {gap:.1e}, {len(graph.onnx) / 1e6:.2f} MB, {dict(fitted.settings)}"
    return score(work.task, answers, work.test.y), seconds, float(np.median(taken)) * 1e3, note


def measure_peer(work: Work) -> tuple[float, float, float, str]:
    """Return the same for an RBF support vector machine on pixels of at most 32 x 32."""
    from sklearn.svm import SVC, SVR

    def pixels(rows: Examples) -> np.ndarray:
        parts = []
        for column in rows.columns("image"):
            for cell in rows.rows[column]:
                image = Image.open(io.BytesIO(cell) if isinstance(cell, bytes) else cell).convert("L")
                parts.append(np.asarray(image.resize((min(32, image.width), min(32, image.height)))).ravel())
        return np.array(parts, np.float32).reshape(len(rows), -1) / 255

    began = time.perf_counter()
    both = pl.concat([work.train.rows, work.valid.rows])
    y = np.concatenate([work.train.y, work.valid.y])
    if work.task.kind == "classify":
        model = SVC(C=5).fit(pixels(Examples(both, work.train.inputs, y)), y)
        seconds = time.perf_counter() - began
        found = np.eye(work.task.width)[model.predict(pixels(work.test))]
    else:
        scale = y.std()
        model = SVR(C=5).fit(pixels(Examples(both, work.train.inputs, y)), (y - y.mean()) / scale)
        seconds = time.perf_counter() - began
        found = model.predict(pixels(work.test)) * scale + y.mean()
    one = pixels(work.test.take(np.zeros(1, np.int64)))
    began = time.perf_counter()
    model.predict(one)
    return score(work.task, found, work.test.y), seconds, (time.perf_counter() - began) * 1e3, ""


WORKS: dict[str, Callable[[Path], Work]] = {
    "mnist": mnist,
    "brain_mri": brain_mri,
    "digits": digits,
    "houses": houses,
}


def main(names: list[str]) -> None:
    print(f"{'work':<24}{'who':<16}{'score':>7}{'fit s':>8}{'one ms':>8}")
    for name in names or WORKS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                work = WORKS[name](Path(folder))
            except FileNotFoundError as error:
                print(f"{name:<24}skipped: {error.filename} is not there")
                continue
            for who, run in (
                ("pixels_linear", lambda: measure(work, "pixels_linear")),  # noqa: B023 - called at once
                ("cnn", lambda: measure(work, "cnn")),  # noqa: B023
                ("RBF-SVC", lambda: measure_peer(work)),  # noqa: B023
            ):
                value, seconds, latency, note = run()
                print(f"{work.name:<24}{who:<16}{value:>7.4f}{seconds:>8.1f}{latency:>8.2f}  {note}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
