"""How fast a frozen encoder reads short texts beside two peers, and how many decisions its eight bits change.

HEADWAY_BENCH_BASES names the folder that holds the base `minilm` in the layout of Transformers. All contenders are
opened first (the peers in processes of their own) and take turns, so that the noise of the machine falls on all alike.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from benchmarks.fine_tuning import find_base
from benchmarks.shared import HERE, SkippedError, find_data, peer_python, print_table
from headway.bases.base import Base
from headway.bases.opening import open_base
from headway.encoders.exporting import Precision
from headway.encoders.features import open_reader
from headway.encoders.precision import choose_precision

TEXTS, LEARNT = 1_024, 2_000
TURNS = int(os.environ.get("HEADWAY_BENCH_TURNS", "5"))
PEER = ("torch==2.13.0", "sentence-transformers==5.1.2")
Way = Literal["transformers", "sentence_transformers"]


@dataclass(frozen=True)
class Contender:
    """Who encodes, and the work of one turn, which returns its seconds."""

    who: str
    turn: Callable[[], float]


def main() -> str:
    """Take turns, then compare decisions; return both tables."""
    folder = find_base("minilm")
    base = open_base(str(folder))
    test = read_texts("test.csv").sample(TEXTS, seed=0, shuffle=True)
    texts = test["text"].to_list()
    chosen = choose_precision(base, texts)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "texts.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        ours = [ours_of(base, precision, texts, chosen) for precision in ("int8", "float32")]
        peers, told = peers_of(folder, path)
        seconds = take_turns([*ours, *(Contender(who, peer.turn) for who, peer in peers)])
        for _, peer in peers:
            peer.end()
    return "\n".join([speed(seconds, told), agreement(base, test)])


def ours_of(base: Base, precision: Precision, texts: Sequence[str], chosen: Precision) -> Contender:
    """Return Headway in one precision."""
    reader = open_reader(base, precision)

    def turn() -> float:
        began = time.perf_counter()
        reader.encode(texts)
        return time.perf_counter() - began

    return Contender(f"Headway, {precision}{' (chosen here)' if precision == chosen else ''}", turn)


class Peer:
    """A peer's process, which encodes the texts once for each line that it reads and answers its seconds."""

    def __init__(self, python: str | Path, way: Way, base: Path, texts: Path) -> None:
        """Start it."""
        command = [python, HERE / "peers" / "encode_texts.py", way, base, texts]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def turn(self) -> float:
        """Encode all texts once; return the seconds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peer ended with {self.process.wait()}")
        return float(answer)

    def end(self) -> None:
        """Let it go."""
        self.process.communicate(timeout=60)


def peers_of(base: Path, texts: Path) -> tuple[list[tuple[str, Peer]], str]:
    """Return the peers that can run here by their names, and what is to be said of one that cannot."""
    peers = [("Transformers, float32, unsorted, batches of 32", Peer(sys.executable, "transformers", base, texts))]
    try:
        python = peer_python("sentence_transformers", *PEER)
    except SkippedError as reason:
        return peers, f"\n{reason}\n"
    return [*peers, ("sentence-transformers, encode()", Peer(python, "sentence_transformers", base, texts))], ""


def take_turns(contenders: Sequence[Contender]) -> dict[str, list[float]]:
    """Return the seconds of each contender's turns, after one to warm up."""
    seconds: dict[str, list[float]] = {each.who: [] for each in contenders}
    for turn in range(TURNS + 1):
        for each in contenders:
            found = each.turn()
            if turn:
                seconds[each.who].append(found)
    return seconds


def speed(seconds: dict[str, list[float]], told: str) -> str:
    """Return the table of medians, and of the ratios within each turn."""
    ours = next(iter(seconds.values()))
    rows = []
    for who, own in seconds.items():
        ratio = statistics.median(theirs / mine for theirs, mine in zip(own, ours, strict=True))
        median = statistics.median(own)
        rows.append((who, f"{median:.2f}", f"{TEXTS / median:,.0f}", f"{ratio:.2f}", f"{min(own):.2f}"))
    header = ("who", "seconds, median", "texts/s", "times Headway's int8 (median of turns)", "seconds, least")
    title = f"{TEXTS:,} texts of en_banking77's test part, all-MiniLM-L6-v2, {TURNS} turns"
    return print_table(title, header, rows) + told


def agreement(base: Base, test: pl.DataFrame) -> str:
    """Return how often eight bits decide as float32 does, by a head that learnt from vectors of float32."""
    from sklearn.linear_model import LogisticRegression

    train = read_texts("train.csv").sample(LEARNT, seed=0, shuffle=True)
    whole, eight = open_reader(base, "float32"), open_reader(base, "int8")
    learnt = unit(whole.encode(train["text"].to_list()))
    head = LogisticRegression(C=10, max_iter=1000).fit(learnt, train["category"].to_list())
    texts = test["text"].to_list()
    answers = {"float32": head.predict(unit(whole.encode(texts))), "int8": head.predict(unit(eight.encode(texts)))}
    same = float(np.mean(answers["float32"] == answers["int8"]))
    rows = [
        (name, f"{np.mean(found == test['category'].to_numpy()):.4f}", f"{same:.4f}" if name == "int8" else "1")
        for name, found in answers.items()
    ]
    title = f"Decisions on {len(texts):,} test texts by a head that learnt from {LEARNT:,} texts in float32"
    return print_table(title, ("vectors", "accuracy", "decides as float32"), rows)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors at length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def read_texts(part: str) -> pl.DataFrame:
    """Return a part of en_banking77."""
    return pl.read_csv(find_data("en_banking77") / part)
