"""Headway against AutoGluon on four small tables (targets, table A): five fixed stratified 80/20 splits each.

    python benchmarks/tables.py DATA [--peers FOLDER] [--sets heart,pima] [--contenders families,headway,autogluon]

DATA is the folder with `german_credit`, `pima_diabetes`, `mammography` and `heart_cleveland`. AutoGluon is installed
into FOLDER/autogluon on the first run (a few minutes). Each contender gets the same train and test files; each answers
with a score for the rarer class. AUC, for mammography average precision. Seconds are wall time of a fresh process, but
for `families`, which runs here.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

SEEDS = range(5)
LIMIT = 120  # seconds for AutoGluon; Headway gets a third
FAMILIES = ("linear", "trees", "forest", "mlp")


@dataclass(frozen=True)
class Set:
    """A headerless file whose last column is the target; `positive` says which targets are the class to find."""

    name: str
    path: str
    positive: Callable[[pl.Series], pl.Series]
    metric: str = "roc_auc"


SETS = (
    Set("german_credit", "german_credit/german.csv", lambda y: y == "2"),
    Set("pima", "pima_diabetes/pima-indians-diabetes.csv", lambda y: y == "1"),
    Set("mammography", "mammography/mammography.csv", lambda y: y.str.contains("'1'"), metric="average_precision"),
    Set("heart", "heart_cleveland/processed.cleveland.data", lambda y: y != "0"),
)


@dataclass(frozen=True)
class Work:
    """One split: files for everyone, the true answers, and where peers live."""

    train: Path
    test: Path
    truth: np.ndarray
    metric: str
    folder: Path
    peers: Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "headway-peers")
    parser.add_argument("--sets", default=",".join(s.name for s in SETS))
    parser.add_argument("--contenders", default="families,headway,autogluon")
    arguments = parser.parse_args()
    contenders = {name: CONTENDERS[name] for name in arguments.contenders.split(",")}
    lines = []
    for one in SETS:
        if one.name in arguments.sets.split(","):
            lines += compare(one, arguments.data / one.path, contenders, arguments.peers)
    summarise(lines, list(contenders))


def compare(one: Set, path: Path, contenders: dict[str, Callable], peers: Path) -> list[dict]:
    if not path.exists():
        print(f"{one.name}: skipped, {path} is not there")
        return []
    lines = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            work = prepare(one, path, seed, Path(folder), peers)
            for name, contend in contenders.items():
                started = time.monotonic()
                try:
                    scores, seconds = contend(work)
                except (subprocess.CalledProcessError, OSError, ImportError) as problem:
                    print(f"{one.name} {seed} {name}: skipped, {problem} {getattr(problem, 'stderr', '') or ''}"[:600])
                    continue
                seconds = seconds or time.monotonic() - started
                for part, answers in scores.items():
                    value = judge(one.metric, work.truth, answers)
                    lines.append({"set": one.name, "seed": seed, "who": part, "value": value, "seconds": seconds})
                    print(f"{one.name:14} split {seed}  {part:20} {value:.4f}  {seconds:6.1f} s", flush=True)
    return lines


def prepare(one: Set, path: Path, seed: int, folder: Path, peers: Path) -> Work:
    from sklearn.model_selection import train_test_split

    rows = pl.read_csv(path, has_header=False, null_values=["?"], quote_char=None)
    target = rows.columns[-1]
    y = one.positive(rows[target].cast(pl.String)).cast(pl.Int64)
    rows = rows.drop(target).rename({c: f"x{i + 1}" for i, c in enumerate(rows.columns[:-1])}).with_columns(target=y)
    train, test = train_test_split(np.arange(len(rows)), test_size=0.2, random_state=seed, stratify=y.to_numpy())
    rows[train].write_csv(folder / "train.csv")
    rows[test].write_csv(folder / "test.csv")
    return Work(folder / "train.csv", folder / "test.csv", y.to_numpy()[test], one.metric, folder, peers)


def judge(metric: str, truth: np.ndarray, answers: np.ndarray) -> float:
    from sklearn.metrics import average_precision_score, roc_auc_score

    return float((average_precision_score if metric == "average_precision" else roc_auc_score)(truth, answers))


def run_families(work: Work) -> tuple[dict[str, np.ndarray], None]:
    """Fit every table family alone, and average their log odds."""
    from headway.compute.clock import Clock
    from headway.data.dataset import Column
    from headway.models.family import Examples, discover
    from headway.tasks import Classify
    from headway.tasks.recipe import Recipe

    train, test = pl.read_csv(work.train), pl.read_csv(work.test)
    names = [c for c in train.columns if c != "target"]
    inputs = tuple(Column(c, "category" if train[c].dtype == pl.String else "number") for c in names)
    cast = [pl.col(c.name).cast(pl.Float64) for c in inputs if c.modality == "number"]
    examples = Examples(train.with_columns(cast).select(names), inputs, train["target"].to_numpy())
    registry = discover()
    scores: dict[str, np.ndarray] = {}
    for name in FAMILIES:
        if name not in registry.cards:
            continue
        fitted = registry.load(name).fit(
            examples, None, Classify((0, 1)), Recipe(), settings=None, seed=0, clock=Clock.after(20)
        )
        scores[name] = fitted.predict(test.with_columns(cast).select(names))[:, 1]
    odds = [np.log(p + 1e-6) - np.log(1 - p + 1e-6) for p in scores.values()]
    return {**scores, "families": np.mean(odds, axis=0)}, None


def run_headway(work: Work) -> tuple[dict[str, np.ndarray], float]:
    """Run the whole of `headway run` as a user would, then `headway predict`."""
    project = work.folder / "headway.yaml"
    project.write_text(
        f"name: table\ndata: {work.train.name}\ntarget: target\ntask: classify\nmetric: {work.metric}\n"
        f"budget: {{time: {LIMIT // 3}s}}\n"
    )
    started = time.monotonic()
    call(sys.executable, "-m", "headway.cli", "run", str(project), "--out", str(work.folder / "runs"), "--quiet")
    seconds = time.monotonic() - started
    out = work.folder / "answers.csv"
    run = next((work.folder / "runs").rglob("result.json")).parent
    call(sys.executable, "-m", "headway.cli", "predict", str(run), str(work.test), "--out", str(out))
    return {"headway": pl.read_csv(out)["p_1"].to_numpy()}, seconds


def run_autogluon(work: Work) -> tuple[dict[str, np.ndarray], float]:
    """Run AutoGluon at medium quality in its own environment; installs it on the first call."""
    python = work.peers / "autogluon" / "bin" / "python"
    if not python.exists():
        call(sys.executable, "-m", "venv", str(work.peers / "autogluon"))
        call(str(python), "-m", "pip", "install", "-q", "torch==2.13.0")
        call(str(python), "-m", "pip", "install", "-q", "autogluon.tabular[lightgbm,catboost,xgboost,fastai]")
    out = work.folder / "autogluon.csv"
    script = str(Path(__file__).with_name("tables_autogluon.py"))
    started = time.monotonic()
    call(str(python), script, str(work.train), str(work.test), work.metric, str(LIMIT), str(out))
    return {"autogluon": pl.read_csv(out)["score"].to_numpy()}, time.monotonic() - started


CONTENDERS: dict[str, Callable] = {"families": run_families, "headway": run_headway, "autogluon": run_autogluon}


def call(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def summarise(lines: list[dict], contenders: list[str]) -> None:
    if not lines:
        return
    table = pl.DataFrame(lines)
    print(f"\n{datetime.now(UTC):%Y-%m-%d}  mean over splits")
    means = table.group_by("set", "who", maintain_order=True).agg(pl.col("value").mean(), pl.col("seconds").mean())
    for line in means.iter_rows(named=True):
        print(f"{line['set']:14} {line['who']:20} {line['value']:.4f}  {line['seconds']:6.1f} s")
    rivals = table.filter(pl.col("who").is_in(contenders))
    ranked = rivals.with_columns(rank=pl.col("value").rank(descending=True).over("set", "seed"))
    ranks = ranked.group_by("who").agg(pl.col("rank").mean(), pl.col("seconds").mean()).sort("rank")
    slowest = float(ranks["seconds"].max())
    for line in ranks.iter_rows(named=True):
        share = line["seconds"] / slowest
        print(f"mean rank {line['rank']:.2f}  {line['who']:10} {line['seconds']:6.1f} s  {share:.2f} of the slowest")


if __name__ == "__main__":
    main()
