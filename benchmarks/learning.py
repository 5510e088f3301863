"""What learning from production costs: a request's own time, and what the background takes.

The peer of the first table is the plain way: writing each prediction into the same SQLite file before answering.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks.shared import find_data, print_table
from headway.evaluation.drift.building import TargetAnswers, build_reference
from headway.serving.drift.watching import Watch, Watching
from headway.serving.learning import Lane, Learner, Noted
from headway.serving.observing import Opened, Served
from headway.serving.store.opening import connect, open_store
from headway.serving.store.recorder import Keeping, Recorder

_EVENTS, _ROUNDS = 3_000, 3


def main() -> str:
    """Return both tables."""
    texts = pl.read_csv(find_data("zh_hotel_reviews") / "ChnSentiCorp_htl_all.csv")["review"].drop_nulls().to_list()
    events = [_served(number, texts[number % len(texts)]) for number in range(_EVENTS)]
    with tempfile.TemporaryDirectory() as scratch:
        return _request_path(Path(scratch), events) + _background(Path(scratch), events, texts)


def _served(number: int, text: str) -> Served:
    answer = {"prediction": 1, "confidence": 0.93, "probabilities": {"0": 0.07, "1": 0.93}}
    return Served(f"r{number}", "reviews", "v", ({"review": text},), (answer,), 0.004, f"user {number % 500}")


def _request_path(scratch: Path, events: list[Served]) -> str:
    """Measure what a request waits for, alternately."""
    ours, theirs, down = [], [], []
    for attempt in range(_ROUNDS):
        learner = Learner(Lane("store", Recorder(open_store(f"sqlite:///{scratch}/ours{attempt}.db"))))
        learner.start()
        ours.append(_each(learner.served, events))
        learner.close()
        recorder = Recorder(open_store(f"sqlite:///{scratch}/theirs{attempt}.db"))
        theirs.append(_each(lambda event, write=recorder: write([Noted(event)]), events[:500]))
        lane = Lane("store", Recorder(connect(f"sqlite:///{scratch}/not/here/x.db")))
        lane.start()
        down.append(_each(Learner(lane).served, events))
        lane.close(0.1)
    rows = [
        ("Headway: handed to a lane", _microseconds(ours)),
        ("... while the database is away", _microseconds(down)),
        ("written before the answer", _microseconds(theirs)),
    ]
    return print_table("What keeping a prediction adds to its request (median of three)", ("how", "microseconds"), rows)


def _each(tell: Callable[[Served], object], events: list[Served]) -> float:
    began = time.perf_counter()
    for event in events:
        tell(event)
    return (time.perf_counter() - began) / len(events)


def _microseconds(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1e6:,.1f}"


def _background(scratch: Path, events: list[Served], texts: list[str]) -> str:
    """Measure how many rows a second the background takes, each consumer by itself."""
    noted = [Noted(event) for event in events]
    reference = build_reference(
        {"review": texts}, {"review": "text"}, seed=0,
        answers={"": TargetAnswers("classify", [1] * 70 + [0] * 30, None, [1] * 100)},
    )  # fmt: skip
    watch = Watch(lambda _: None, Watching(most_rows_per_second=1e9), read=lambda _: reference)
    watch.opened(Opened(events[0].name, events[0].version, "classify", str(scratch)))
    consumers: list[tuple[str, Callable[[list[Noted]], object]]] = [
        ("store: SQLite, personal data masked", Recorder(open_store(f"sqlite:///{scratch}/a.db"))),
        ("store: SQLite, not masked", Recorder(open_store(f"sqlite:///{scratch}/b.db"), Keeping(mask=False))),
        ("drift (bounded to 200 rows/s in service)", watch),
    ]
    rows = []
    for name, consume in consumers:
        began = time.perf_counter()
        for start in range(0, len(noted), 500):
            consume(noted[start : start + 500])
        rows.append((name, f"{len(noted) / (time.perf_counter() - began):,.0f}"))
    size = sum(path.stat().st_size for path in scratch.glob("a.db*")) / len(noted)
    rows.append(("bytes in SQLite for each of these reviews", f"{size:,.0f}"))
    return print_table("What the background takes, one thread", ("what", "rows/s"), rows)
