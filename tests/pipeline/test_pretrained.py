"""Runs of candidates with a base, killed in the middle of their training."""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headway.pipeline.run import run
from headway.project import read
from headway.runtime import load
from tests.dying import dying_after, let_die
from tests.encoders.tiny import tiny_base

LABELS = ("awful", "lovely", "usual")
EPOCHS = 2


def write_project(folder: Path, family: str) -> Path:
    """Write rows, a tiny base and a project that nothing but `family` (and the baseline) takes part in."""
    generator = np.random.default_rng(0)
    rows = 90
    labels = [LABELS[row % 3] for row in range(rows)]
    texts = [
        " ".join(generator.permutation([label, *generator.choice(["the", "room", "was", "clean"], 6)]))
        for label in labels
    ]
    pl.DataFrame({"text": [f"{text} {n}" for n, text in enumerate(texts)], "label": labels}).write_csv(
        folder / "rows.csv"
    )
    tiny_base(folder / "base")
    (folder / "headway.yaml").write_text(
        f"name: pretrained\ndata: rows.csv\ntarget: label\ninputs: {{text: text}}\nbase: ./base\n"
        f"models: [{family}]\ntraining: {{epochs: {EPOCHS}}}\nsplit: {{folds: 2}}\nbudget: {{time: 1200s}}\n"
    )
    return folder / "headway.yaml"


def killable(project: Path, out: Path, fatal: int) -> None:
    """Run until the checkpoint numbered `fatal`."""
    with dying_after(fatal):
        run(read(project), out=out)


# Killed in the first fold, and in a later one.
@pytest.mark.slow
@pytest.mark.parametrize(("family", "fatal"), [("encoder_finetune", 2), ("encoder_fewshot", 5)])
def test_a_run_killed_in_the_middle_of_training_ends_as_if_it_had_not_been(tmp_path, monkeypatch, family, fatal):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    project = write_project(tmp_path, family)
    let_die("tests.pipeline.test_pretrained", project, tmp_path / "runs", fatal)
    (folder,) = (path for path in (tmp_path / "runs" / "pretrained").iterdir() if path.name != "latest")
    assert not (folder / "result.json").exists()
    assert list((folder / "scratch").rglob("checkpoint.pt"))
    resumed = run(resume=folder)
    whole = run(read(project), out=tmp_path / "whole")
    results = [json.loads((each.folder / "result.json").read_text()) for each in (resumed, whole)]
    assert [result["winner"] for result in results] == [family, family]
    assert results[0]["metrics"] == pytest.approx(results[1]["metrics"], abs=1e-4)
    texts = pl.read_csv(tmp_path / "rows.csv")["text"]
    shares = [load(each.package).predictor.run({"text": texts}) for each in (resumed, whole)]
    np.testing.assert_allclose(*shares, atol=1e-4)
    assert not (folder / "scratch").exists()


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    killable(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
