"""Race ngram_linear against TF-IDF + LinearSVC on two text sets: accuracy, seconds to fit, rows per second, latency.

Usage: python -m benchmarks.text DATA_FOLDER   (the folder that holds zh_hotel_reviews and en_banking77)
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.models.family import Examples
from headway.models.ngram_linear.fitting import NgramLinear, fit
from headway.package.opening import open_graph
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

BUDGET = 60.0
ROUNDS = 5


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    print(f"{'data':<18}{'model':<22}{'accuracy':>9}{'fit s':>8}{'rows/s':>9}{'p50 ms':>8}")
    for name, read in (("zh_hotel_reviews", hotel_reviews), ("en_banking77", banking77)):
        if (folder / name).is_dir():
            race(name, *read(folder / name))
        else:
            print(f"{name:<18}skipped: {folder / name} is not there")


def race(name: str, train: Examples, test: Examples) -> None:
    """Fit both on the same rows and time them in turn on the same test rows."""
    texts = test.rows["text"].to_list()
    began = time.perf_counter()
    predictor = open_graph(ours(train).graph())
    our_seconds = time.perf_counter() - began
    began = time.perf_counter()
    peer = theirs(train)
    peer_seconds = time.perf_counter() - began
    speeds = [(speed(lambda t: predictor.run({"text": t}), texts), speed(peer.predict, texts)) for _ in range(ROUNDS)]
    our_speed, peer_speed = np.median(speeds, axis=0)
    our_right = float((predictor.run({"text": texts}).argmax(1) == test.y).mean())
    peer_right = float((peer.predict(texts) == test.y).mean())
    our_ms, peer_ms = (latency(run, texts) for run in (lambda t: predictor.run({"text": t}), peer.predict))
    print(f"{name:<18}{'ngram_linear':<22}{our_right:>9.4f}{our_seconds:>8.1f}{our_speed:>9.0f}{our_ms:>8.2f}")
    print(f"{'':<18}{'TF-IDF + LinearSVC':<22}{peer_right:>9.4f}{peer_seconds:>8.1f}{peer_speed:>9.0f}{peer_ms:>8.2f}")
    print(f"{'':<18}{'ratio':<22}{'':>9}{our_seconds / peer_seconds:>8.1f}{our_speed / peer_speed:>9.1f}{'':>8}")


def ours(train: Examples) -> NgramLinear:
    """Choose settings on a fifth of the training rows, then fit on all of them."""
    task = Classify(tuple(range(int(train.y.max()) + 1)))
    clock = Clock.after(BUDGET)
    part, valid = train_test_split(np.arange(len(train)), test_size=0.2, stratify=train.y, random_state=0)
    tried = fit(train.take(part), train.take(valid), task, Recipe(), settings=None, seed=0, clock=clock)
    return fit(train, None, task, Recipe(), settings=tried.settings, seed=0, clock=clock)


def theirs(train: Examples) -> Pipeline:
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2), LinearSVC())
    return model.fit(train.rows["text"].to_list(), train.y)


def speed(run, texts: list[str]) -> float:  # noqa: ANN001
    began = time.perf_counter()
    run(texts)
    return len(texts) / (time.perf_counter() - began)


def latency(run, texts: list[str]) -> float:  # noqa: ANN001
    """Return the median milliseconds of one row."""
    taken = []
    for text in texts[:300]:
        began = time.perf_counter()
        run([text])
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)) * 1e3


def hotel_reviews(folder: Path) -> tuple[Examples, Examples]:
    """Return an 80/20 stratified split after exact duplicates."""
    rows = pl.read_csv(folder / "ChnSentiCorp_htl_all.csv").drop_nulls().unique("review", maintain_order=True)
    train, test = train_test_split(np.arange(len(rows)), test_size=0.2, stratify=rows["label"], random_state=0)
    every = examples(rows["review"], rows["label"])
    return every.take(train), every.take(test)


def banking77(folder: Path) -> tuple[Examples, Examples]:
    train, test = (pl.read_csv(folder / f"{part}.csv") for part in ("train", "test"))
    labels = sorted(train["category"].unique())
    return tuple(
        examples(part["text"], part["category"].replace_strict(labels, range(len(labels)))) for part in (train, test)
    )  # type: ignore[return-value]


def examples(texts: pl.Series, y: pl.Series) -> Examples:
    return Examples(pl.DataFrame({"text": texts}), (Column("text", "text"),), y.to_numpy().astype(np.int64))


if __name__ == "__main__":
    main()
