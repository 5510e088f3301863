"""Fine-tuned encoders (table B): the same base on both sides, on the same rows.

HEADWAY_BENCH_BASES names the folder that holds the bases `minilm` and `e5-small` in the layout of Transformers.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from benchmarks.shared import HERE, SkippedError, call, find_data, predict_headway, print_table, run_headway

BASES = Path(os.environ.get("HEADWAY_BENCH_BASES", HERE.parent.parent / "models"))
MINUTES = 15
EPOCHS = 3
ADAPTER_ROWS, TESTED_ROWS = 128, 128
PEER_ROWS = 3_000
HEADER = ("who", "accuracy", "seconds", "peak MB", "note")


@dataclass(frozen=True)
class Line:
    """One side of a comparison."""

    who: str
    accuracy: float
    seconds: float
    peak_mb: float
    note: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """Return it as cells."""
        return self.who, f"{self.accuracy:.4f}", f"{self.seconds:.0f}", f"{self.peak_mb:.0f}", self.note


def main() -> str:
    """Compare on every set and return the tables."""
    return f"{sentences()}\n{reviews()}\n{adapters()}"


def sentences() -> str:
    """Fine-tune MiniLM on en_sst2: beside the Trainer, then in half of the time that the Trainer took."""
    with tempfile.TemporaryDirectory() as name:
        folder, base = Path(name), find_base("minilm")
        train, test = write_sentences(folder)
        peer = trainer(train, test, base)
        lines = [
            peer,
            headway(folder, train, test, base, seconds=60 * MINUTES),
            headway(folder, train, test, base, seconds=int(peer.seconds / 2)),
            headway(folder, train, test, base, seconds=60 * MINUTES, models="auto"),
        ]
    return print_table(f"en_sst2, MiniLM, {MINUTES} minutes", HEADER, [line.cells for line in lines])


def reviews() -> str:
    """Fine-tune e5 on zh_hotel_reviews beside a logistic regression over its frozen outputs."""
    with tempfile.TemporaryDirectory() as name:
        folder, base = Path(name), find_base("e5-small")
        train, test = write_reviews(folder)
        few = folder / "few.csv"
        pl.read_csv(train).head(PEER_ROWS).write_csv(few)
        lines = [
            replace(
                frozen(few, test, base), note=f"{PEER_ROWS:,} rows: all of them take it more than a quarter of an hour"
            ),
            headway(folder, train, test, base, seconds=60 * MINUTES),
            headway(folder, train, test, base, seconds=60 * MINUTES, models="auto"),
        ]
    return print_table(f"zh_hotel_reviews 80/20, e5-small, {MINUTES} minutes", HEADER, [line.cells for line in lines])


def adapters() -> str:
    """Fine-tune e5 with LoRA in all layers for a short while: what counts is the memory."""
    with tempfile.TemporaryDirectory() as name:
        train, test = write_reviews(Path(name))
        spent = call(sys.executable, "-m", "benchmarks.fine_tuning", train, test, find_base("e5-small"))
    told = json.loads(spent.printed.strip().splitlines()[-1])
    line = Line(
        "Headway, LoRA in all layers", told["accuracy"], told["seconds"], spent.peak_mb, f"{ADAPTER_ROWS} rows, 1 epoch"
    )
    return print_table("Memory of fine-tuning e5-small with LoRA", HEADER, [line.cells])


def headway(
    folder: Path, train: Path, test: Path, base: Path, *, seconds: int, models: str = "[encoder_finetune]"
) -> Line:
    """Run a project with nothing but the fine-tuned encoder in it, or with what is chosen where `models` is `auto`."""
    where = folder / f"headway-{seconds}-{models.strip('[]')}"
    where.mkdir()
    project = (
        f"name: tuned\ndata: {train}\ntest: {test}\ntarget: label\ninputs: {{text: text}}\ntask: classify\n"
        f"base: {base}\nmodels: {models}\nbudget: {{time: {seconds}s, memory: 6GB}}\n"
    )
    ran = run_headway(project, where)
    answers = where / "answers.csv"
    predict_headway(ran.folder, test, answers)
    found, truth = pl.read_csv(answers)["prediction"], pl.read_csv(test)["label"]
    accuracy = float((found.cast(pl.String) == truth.cast(pl.String)).mean() or 0.0)
    who = "Headway, automatic choice" if models == "auto" else "Headway"
    return Line(f"{who}, budget {seconds} s", accuracy, ran.spent.seconds, ran.spent.peak_mb, ran.result["winner"])


def trainer(train: Path, test: Path, base: Path) -> Line:
    """Run the peer in a process of its own."""
    script = HERE / "peers" / "transformers_trainer.py"
    spent = call(sys.executable, script, train, test, base, str(EPOCHS))
    told = json.loads(spent.printed.strip().splitlines()[-1])
    return Line(f"Trainer, {EPOCHS} epochs, full", told["accuracy"], told["seconds"], spent.peak_mb)


def frozen(train: Path, test: Path, base: Path) -> Line:
    """Fit a logistic regression over mean-pooled outputs, texts in the order given, batches of 32."""
    spent = call(sys.executable, HERE / "peers" / "frozen_regression.py", train, test, base)
    told = json.loads(spent.printed.strip().splitlines()[-1])
    return Line("frozen + logistic regression", told["accuracy"], told["seconds"], spent.peak_mb)


def find_base(name: str) -> Path:
    """Return the folder of a base; raises `SkippedError` where it is absent."""
    if not (BASES / name / "config.json").exists():
        raise SkippedError(f"the base {name} is not here (set HEADWAY_BENCH_BASES to the folder that holds it)")
    return (BASES / name).resolve()


def write_sentences(folder: Path) -> tuple[Path, Path]:
    """Write en_sst2 as CSV: training and development sentences to learn from, and the test part."""
    data = find_data("en_sst2")
    paths = folder / "train.csv", folder / "test.csv"
    for path, parts in zip(paths, (("train", "dev"), ("test",)), strict=True):
        lines = [
            line
            for part in parts
            for line in (data / f"stsa.binary.{part}").read_text(encoding="utf-8", errors="replace").splitlines()
        ]
        pl.DataFrame({"text": [line[2:] for line in lines], "label": [line[0] for line in lines]}).write_csv(path)
    return paths


def write_reviews(folder: Path) -> tuple[Path, Path]:
    """Write zh_hotel_reviews without repeated texts as CSV, 80/20."""
    table = pl.read_csv(find_data("zh_hotel_reviews") / "ChnSentiCorp_htl_all.csv").drop_nulls()
    rows = table.rename({"review": "text"}).unique("text", keep="first", maintain_order=True)
    rows = rows.sample(fraction=1.0, shuffle=True, seed=0)
    most = int(0.8 * rows.height)
    paths = folder / "train.csv", folder / "test.csv"
    rows[:most].write_csv(paths[0])
    rows[most:].write_csv(paths[1])
    return paths


def fit_adapters(train: Path, test: Path, base: Path) -> None:
    """Fit with LoRA in all layers, in a process of its own so that its memory can be watched; print JSON."""
    from headway.bases.opening import open_base
    from headway.compute.clock import Clock
    from headway.data.dataset import Column
    from headway.models.encoder_finetune.fitting import fit
    from headway.models.family import Examples, Support
    from headway.tasks import Classify
    from headway.tasks.recipe import Recipe

    support = Support(base=open_base(str(base)))
    learn_from, examine = (
        Examples(rows.select("text"), (Column("text", "text"),), rows["label"].to_numpy(), support=support)
        for rows in (pl.read_csv(train).head(ADAPTER_ROWS), pl.read_csv(test).head(TESTED_ROWS))
    )
    began = time.perf_counter()
    all_layers = {"method": "lora", "depth": 1_000}
    task = Classify(("0", "1"))
    model = fit(learn_from, None, task, Recipe(epochs=1), settings=all_layers, seed=0, clock=Clock())
    seconds = time.perf_counter() - began
    accuracy = float((model.predict(examine.rows).argmax(1) == examine.y).mean())
    print(json.dumps({"accuracy": accuracy, "seconds": seconds}))


if __name__ == "__main__":
    fit_adapters(*map(Path, sys.argv[1:4]))
