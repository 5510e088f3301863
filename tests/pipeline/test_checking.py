from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from headway.cli.check import describe
from headway.data.dataset import Fold
from headway.models.family import Estimate, Examples
from headway.pipeline import checking
from headway.pipeline.checking import probe
from headway.project import build
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from headway.training.contest import Contest


@pytest.fixture
def contest():
    rows = pl.DataFrame({"a": np.arange(10.0)})
    folds = (Fold(np.arange(5), np.arange(5, 10)), Fold(np.arange(5, 10), np.arange(5)))
    examples = Examples(rows, (), np.arange(10) % 2)
    return Contest(examples, np.arange(10), folds, Classify(("x", "y")), "accuracy", seed=0)


@pytest.mark.parametrize(("budget", "seconds", "probes"), [(100.0, 1.5, 2), (600.0, 20.0, 1)])
def test_a_first_probe_that_counts_against_the_budget_is_taken_again(monkeypatch, contest, budget, seconds, probes):
    answers = iter([20.0, 1.5])
    seen = []

    def estimate(train, task, recipe, *, seed):
        seen.append(len(train))
        return Estimate(next(answers), 10.0)

    registry = SimpleNamespace(load_for=lambda _name, _task: SimpleNamespace(estimate=estimate))
    monkeypatch.setattr(checking, "discover", lambda: registry)
    entrant = SimpleNamespace(card=SimpleNamespace(name="slow_to_import", base=None), recipe=Recipe())
    assert probe(entrant, contest, budget).seconds == seconds
    assert seen == [5] * probes


def test_what_is_set_aside_is_told_with_its_reason_and_first_place(tmp_path, monkeypatch):
    lines = [f"{n},{'yes' if n % 2 else 'no'}" for n in range(100)]
    lines[7], lines[9], lines[20] = "7,", "9,", "many,no"
    (tmp_path / "t.csv").write_text("\n".join(["size,paid", *lines]))
    project = build(data="t.csv", target="paid", folder=tmp_path, models=["linear"], inputs={"size": "number"})
    monkeypatch.chdir(tmp_path)
    found = checking.check(project)
    first, *others = found.refusals
    assert (first.reason, first.count, first.file, first.row) == (
        "the target is missing",
        2,
        str(tmp_path / "t.csv"),
        9,
    )
    assert [(each.count, each.row) for each in others] == [(1, 22), (1, 22)]
    told = "\n".join(describe(found, "en"))
    assert "! set aside: 2 × the target is missing (first: t.csv, row 9)" in told
    assert "不予使用：2 处，" in "\n".join(describe(found, "zh"))


def test_a_candidate_whose_probe_crashes_is_listed_with_its_reason(monkeypatch, contest):
    def estimate(train, task, recipe, *, seed):
        raise ZeroDivisionError("no rows")

    registry = SimpleNamespace(load_for=lambda _name, _task: SimpleNamespace(estimate=estimate))
    monkeypatch.setattr(checking, "discover", lambda: registry)
    card = SimpleNamespace(name="broken", base=None, most_rows_a_label=None, elastic=False)
    project = build(data="t.csv", target="x")
    cost = checking.price_one(SimpleNamespace(card=card, recipe=Recipe(), asked_for=False), contest, project)
    assert (cost.fits, cost.seconds, cost.note) == (False, None, "ZeroDivisionError: no rows")
