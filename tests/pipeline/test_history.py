"""Rows with a past, from the table to the package and back."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from headway.cli.app import make_app
from headway.data.history import tell_history
from headway.data.reading import read
from headway.pipeline.checking import check
from headway.pipeline.run import run
from headway.pipeline.sourcing import splitting_of
from headway.project import build
from headway.runtime import load
from headway.serving.computing import find_problems

HISTORY = {"time": "when", "keys": ["card", "shop"], "values": ["amount"], "windows": ["1d", "3d"], "delay": "1d"}
DATES = {"train_until": "2024-03-10", "test_from": "2024-03-12"}


def write_purchases(folder, rows=3000, seed=0, start="2024-03-01T00:00", name="purchases.csv"):
    """A shop goes bad for days on end; a card's usual amount is known by its past alone."""
    generator = np.random.default_rng(seed)
    minutes = np.sort(generator.integers(0, 14 * 24 * 60, rows))
    when = (np.datetime64(start) + minutes.astype("timedelta64[m]")).astype("datetime64[us]")
    cards, shops = generator.integers(0, 40, rows), generator.integers(0, 20, rows)
    usual = generator.lognormal(3, 1, 40)[cards]
    odd = generator.random(rows) < 0.04
    amounts = (usual * generator.normal(1, 0.1, rows) * np.where(odd, 4, 1)).round(2)
    bad = odd | ((shops < 3) & (generator.random(rows) < 0.5))
    pl.DataFrame({"when": when, "card": cards, "shop": shops, "amount": amounts, "bad": bad.astype(int)}).write_csv(
        folder / name
    )


def project_in(folder, **settings):
    options = {"models": ["trees"], "budget": {"time": 90}, "split": DATES, "history": HISTORY, "compress": "off"}
    return build(data="purchases.csv", target="bad", name="cards", folder=folder, **{**options, **settings})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cards")
    write_purchases(folder)
    done = run(project_in(folder), out=folder / "runs")
    return folder, done


def test_the_past_is_learnt_from(finished):
    _, done = finished
    assert done.result["metrics"]["average_precision"] > 0.6


def test_training_and_package_tell_the_same(finished):
    folder, done = finished
    project = project_in(folder)
    table = read("purchases.csv", folder=folder)
    told = tell_history(table, None, project.history, target="bad", task=None, splitting=project.split)
    model = load(done.package)
    rows = told.test.rows
    raw = {name: rows[name].to_list() for name in ("when", "card", "shop", "amount")}
    for found in (model.remember(raw), model.remember(raw, in_order=True)):
        for name in told.names:
            wanted = rows[name].fill_null(float("nan")).to_numpy().astype(np.float32)
            np.testing.assert_array_equal(np.asarray(found[name]), wanted, err_msg=name)


def test_the_package_answers_the_test_part_as_the_run_did(finished):
    folder, done = finished
    kept = pl.read_parquet(done.folder / "test_answers.parquet")
    lines = pl.read_csv(folder / "purchases.csv")
    shuffled = lines.filter(pl.col("when") >= "2024-03-12").sample(fraction=1.0, shuffle=True, seed=3)
    shuffled.drop("bad").write_csv(folder / "new.csv")
    done_well = CliRunner().invoke(
        make_app(), ["predict", str(done.package), str(folder / "new.csv"), "--out", str(folder / "out.csv")]
    )
    assert done_well.exit_code == 0, done_well.output
    answered = pl.read_csv(folder / "out.csv")
    assert answered.columns == ["when", "card", "shop", "amount", "prediction", "confidence", "p_0", "p_1"]
    wanted = lines.with_row_index("__row__").join(kept, on="__row__").sort("when", "card", "shop", "amount")
    found = answered.sort("when", "card", "shop", "amount")
    name = next(name for name in kept.columns if name in ("p_1", "probability_1"))
    np.testing.assert_allclose(found["p_1"], wanted[name], atol=1e-4)


def test_later_rows_of_a_file_are_each_others_past(finished):
    folder, done = finished
    model = load(done.package)
    late = pl.DataFrame(
        {"when": [f"2024-03-15 0{hour}:30" for hour in range(6)], "card": [1] * 6, "shop": [2] * 6, "amount": [9.5] * 6}
    )
    late.write_csv(folder / "late.csv")
    result = CliRunner().invoke(make_app(), ["predict", str(done.package), str(folder / "late.csv")])
    assert "later rows of this file are each other's past" in result.output
    columns = {name: late[name].to_list() for name in late.columns}
    counts = model.remember(columns, in_order=True)["card: rows in 3d"]
    assert np.diff(counts).sum() >= 3
    alone = model.predict([dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)])
    assert len(alone) == 6


def test_rows_may_bring_what_is_told_of_them(finished):
    _, done = finished
    model = load(done.package)
    row = {"when": "2024-03-14 12:00", "card": 1, "shop": 2, "amount": 30.0}
    told = {name: float(cells[0]) for name, cells in model.remember({k: [v] for k, v in row.items()}).items()
            if name in model.told}  # fmt: skip
    assert model.predict([{"amount": 30.0, **told}]) == model.predict([row])


def test_over_http_a_forgotten_time_is_a_problem_of_its_row(finished):
    _, done = finished
    model = load(done.package)
    cells = {"when": ["2024-03-14", "2024-03-01", "soon"], "card": [1, 2, 3], "shop": [1, 1, 1], "amount": [9, 9, "x"]}
    problems = {(each.row, each.field) for each in find_problems(model, cells, 3)}
    assert problems == {(1, "when"), (2, "when"), (2, "amount")}
    assert set(model.columns) == set(cells)


def test_evaluate_scores_the_same_test_part(finished):
    folder, done = finished
    lines = pl.read_csv(folder / "purchases.csv")
    lines.filter(pl.col("when") >= "2024-03-12").write_csv(folder / "labelled.csv")
    result = CliRunner().invoke(make_app(), ["evaluate", str(done.package), str(folder / "labelled.csv"), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["metrics"]["average_precision"]
    assert found == pytest.approx(done.result["metrics"]["average_precision"], abs=1e-5)


def drift(package, file, *options):
    result = CliRunner().invoke(make_app(), ["drift", str(package), str(file), *options])
    assert result.exit_code == 0, result.output
    return result


def test_drift_looks_at_the_answers_that_predict_gives(finished):
    folder, done = finished
    write_purchases(folder, start="2024-03-15T00:00", name="next.csv")
    CliRunner().invoke(
        make_app(), ["predict", str(done.package), str(folder / "next.csv"), "--out", str(folder / "next_out.csv")]
    )
    share = (pl.read_csv(folder / "next_out.csv")["prediction"] == 1).mean()
    result = drift(done.package, folder / "next.csv", "--json")
    assert "later rows of this file are each other's past" in result.stderr
    told = json.loads(result.stdout)
    answers = next(view for view in told["views"] if view["aspect"] == "answer")
    assert told["answers_compared"] == answers["rows"] == 3000
    assert answers["now"] == pytest.approx(share if answers["cell"] == "1" else 1 - share)


def test_drift_leaves_out_answers_whose_past_nobody_knows(finished):
    folder, done = finished
    write_purchases(folder, start="2024-06-01T00:00", name="later.csv")
    # Windows of three days, and targets known after one: from the fifth day on all that counts is in the file.
    whole = pl.read_csv(folder / "later.csv", try_parse_dates=True).filter(pl.col("when") >= pl.datetime(2024, 6, 5))
    result = drift(done.package, folder / "later.csv", "--json")
    told = json.loads(result.stdout)
    assert told["rows"] == 3000
    assert abs(told["answers_compared"] - len(whole)) < 10
    assert not any(view["aspect"] in {"answer", "confidence", "mistakes"} and view["rows"] > told["answers_compared"]
                   for view in told["views"])  # fmt: skip
    said = drift(done.package, folder / "later.csv")
    assert "nothing is known of the time from 2024-03-14" in said.stderr
    assert "are compared for" in said.stderr
    assert "一无所知" in drift(done.package, folder / "later.csv", "--lang", "zh").stderr


def test_time_and_keys_are_no_inputs_unless_named(tmp_path):
    write_purchases(tmp_path, rows=600)
    found = check(project_in(tmp_path))
    names = {column.name for column in found.inputs}
    assert not names & {"when", "card", "shop"}
    assert {"amount", "when: night", "card: rows in 1d"} <= names
    named = check(project_in(tmp_path, inputs={"amount": "number", "shop": "category"}))
    assert {"amount", "shop", "card: rows in 1d"} <= {column.name for column in named.inputs}


def test_what_has_a_history_is_divided_by_time_with_a_gap(tmp_path):
    write_purchases(tmp_path, rows=600)
    settled = splitting_of(project_in(tmp_path, split=None))
    assert (settled.time, settled.gap) == ("when", 86_400.0)
    assert splitting_of(project_in(tmp_path, split={"folds": 3})).time is None
    assert splitting_of(project_in(tmp_path, split={"gap": "0s"})).gap == 0.0
    found = check(project_in(tmp_path, split=None))
    assert found.test == 120
    assert found.train < 480
