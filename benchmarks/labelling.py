"""What is gained by labelling the rows that `headway label` ranks first, instead of rows at random.

A team labels banking77 in rounds. Each round ranks the rows that are left, the true labels of the first ones are
revealed, and the frozen features' logistic head learns from all labels so far; the test part judges. Random order is
the peer: same rows to choose from, same number of labels, same head. Beside it: accuracy of the labels' words alone.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.fine_tuning import find_base
from benchmarks.shared import find_data, print_table
from headway.bases.opening import open_base
from headway.compute.caches import cache_folder
from headway.compute.clock import Clock
from headway.encoders.features import features
from headway.models.answers import answer
from headway.models.encoder_frozen.heads import Head, Vectors, logistic
from headway.models.encoder_zeroshot.fitting import DEFAULT
from headway.models.encoder_zeroshot.heading import distilled_head
from headway.models.encoder_zeroshot.teaching import teach
from headway.models.pseudo import unit
from headway.models.words import humanise
from headway.pipeline.labelling.ranking import rank
from headway.tasks import Classify

BASE = "all-MiniLM-L6-v2"
BUDGETS = (80, 160, 320)
SEEDS = (0, 1, 2)
POOL = 2000
PENALTY = 1e-4
BALANCE = float(DEFAULT["balance"])
Pick = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]


def main() -> str:
    """Label in rounds both ways; print and return the table."""
    train, test = _read("train.csv"), _read("test.csv")
    names = sorted({label for _, label in train})
    x, exam, words = (_vectors(texts) for texts in (_texts(train), _texts(test), [humanise(name) for name in names]))
    y, truth = (np.array([names.index(label) for _, label in part]) for part in (train, test))
    task = Classify(tuple(names))
    curves: dict[str, list[list[float]]] = {"random": [], "headway label": []}
    words_alone = []
    for seed in SEEDS:
        pool = np.random.default_rng(seed).permutation(len(x))[:POOL]
        head = distilled_head(
            x[pool], words, teach(x[pool], words, balance=BALANCE), task, penalty=PENALTY, clock=Clock()
        )
        words_alone.append(_accuracy(head, exam, truth))
        for name, runs in curves.items():
            runs.append(_label_in_rounds(x[pool], y[pool], (exam, truth), head, task, name=name, seed=seed))
    whole = distilled_head(
        x, words, teach(x, words, balance=BALANCE), task, penalty=float(DEFAULT["penalty"]), clock=Clock()
    )
    cosine = float(((exam @ words.T).argmax(1) == truth).mean())
    random, ranked = (np.mean(runs, axis=0) for runs in curves.values())
    rows = [
        [count, f"{plain:.3f}", f"{better:.3f}", f"{better - plain:+.3f}"]
        for count, plain, better in zip(BUDGETS, random, ranked, strict=True)
    ]
    text = print_table("Labels that a team gives, and what is learnt", ["rows labelled", *curves, "difference"], rows)
    remark = (
        f"\nbanking77, {BASE}, {POOL} rows to choose from, mean test accuracy of {len(SEEDS)} draws. Without any label:"
        f" cosine to the labels' names {cosine:.3f}, encoder_zeroshot's head {np.mean(words_alone):.3f}, with all"
        f" {len(x):,} texts and no label {_accuracy(whole, exam, truth):.3f}.\n"
    )
    print(remark)
    return text + remark


def _label_in_rounds(
    x: np.ndarray,
    y: np.ndarray,
    exam: tuple[np.ndarray, np.ndarray],
    head: Head,
    task: Classify,
    *,
    name: str,
    seed: int,
) -> list[float]:
    """Return the test accuracy after each budget of labels."""
    labelled = np.empty(0, np.int64)
    order = np.random.default_rng(100 + seed).permutation(len(x))
    scores = []
    for budget in BUDGETS:
        left = np.setdiff1d(np.arange(len(x)), labelled)
        more = budget - len(labelled)
        if name == "random":
            new = order[len(labelled) : budget]
        else:
            shares = answer(head.outputs(x[left]), None)
            new = left[rank(x[left], shares, top=more, labelled=x[labelled], seed=seed).order]
        labelled = np.concatenate([labelled, new])
        vectors = Vectors(x[labelled], y[labelled], np.ones(budget))
        head = logistic(vectors, task, PENALTY, None, Clock())
        scores.append(_accuracy(head, *exam))
    return scores


def _accuracy(head: Head, x: np.ndarray, truth: np.ndarray) -> float:
    return float((head.outputs(x).argmax(axis=1) == truth).mean())


def _read(name: str) -> list[tuple[str, str]]:
    path: Path = find_data("en_banking77") / name
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def _texts(part: list[tuple[str, str]]) -> list[str]:
    return [text for text, _ in part]


def _vectors(texts: list[str]) -> np.ndarray:
    return unit(features(open_base(str(find_base("minilm"))), texts, "float32", store=cache_folder("features")))
