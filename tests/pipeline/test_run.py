import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from headway.errors import BudgetError, ProjectError, RunError
from headway.pipeline.checking import check
from headway.pipeline.events import CandidateStarted, Remark, RunStarted, StageFinished
from headway.pipeline.run import run
from headway.project import build
from headway.runtime import load
from headway.serving.drift.watching import read_reference
from tests.pipeline.projects import table_project, write_table

ROOT = Path(__file__).parents[2]
# What may differ between two runs of one project: when, where and how fast.
TIMES = {"seconds", "created", "fit_seconds", "estimated_seconds", "latency_p50_ms", "latency_p95_ms", "memory_mb"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    return run(table_project(folder), out=folder / "runs")


def test_a_run_leaves_result_report_package_and_latest(finished):
    result = json.loads((finished.folder / "result.json").read_text())
    needed = {"task", "winner", "metrics", "intervals", "seconds", "package", "rows", "candidates"}
    assert needed <= set(result)
    assert {"read", "rejected", "duplicates", "used"} <= set(result["rows"])
    columns = {"name", "status", "reason", "metrics", "fit_seconds", "latency_p50_ms", "latency_p95_ms", "size_mb"}
    assert all(columns | {"memory_mb"} <= set(candidate) for candidate in result["candidates"])
    assert (finished.folder.parent / "latest").resolve() == finished.folder.resolve()
    assert (finished.folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert result["metrics"]["accuracy"] > 0.7
    low, high = result["intervals"]["accuracy"]
    assert low < result["metrics"]["accuracy"] < high


def test_the_report_does_not_tell_where_things_lie_on_this_machine(finished):
    page = (finished.folder / "report.html").read_text()
    assert "table.csv" in page
    assert "runtime.load(&#x27;package&#x27;)" in page
    assert str(finished.folder.parents[2]) not in page
    assert str(finished.folder.parents[2]) not in (finished.folder / "package" / "card.md").read_text()


def test_the_package_carries_what_drift_is_measured_by(finished):
    reference = read_reference(finished.folder / "package")
    assert set(reference.kinds) == {"first", "second", "kind"}
    mistakes = next(view for view in reference.views if view.aspect == "mistakes")
    answers = pl.read_parquet(finished.folder / "test_answers.parquet")
    right = int((answers["actual"] == answers["prediction"]).sum())
    assert mistakes.counts == (right, answers.height - right)


def test_the_package_answers_as_the_test_answers_say(finished):
    model = load(finished.folder / json.loads((finished.folder / "result.json").read_text())["package"])
    answers = pl.read_parquet(finished.folder / "test_answers.parquet")
    rows = pl.read_parquet(finished.folder / "dataset" / "rows.parquet")
    tested = answers.select("__row__").join(rows, on="__row__", how="left", maintain_order="left")
    given = model.predict(tested.drop("__row__").to_dicts())
    assert [str(answer.prediction) for answer in given] == answers["prediction"].to_list()
    assert [answer.confidence for answer in given] == pytest.approx(answers["confidence"].to_list(), abs=1e-5)


def test_the_same_seed_gives_the_same_result(finished, tmp_path):
    again = run(table_project(tmp_path), out=tmp_path / "runs")
    assert lasting(again.folder) == lasting(finished.folder)


# Killed after: reading, cleaning, the first candidate, the second one, scoring, packaging.
@pytest.mark.slow
@pytest.mark.parametrize("fatal", [3, 5, 10, 13, 16, 18])
def test_killed_at_any_moment_a_resumed_run_gives_the_same_result(finished, tmp_path, fatal):
    write_table(tmp_path)
    (tmp_path / "headway.yaml").write_text(
        "name: table\ndata: table.csv\ntarget: label\nmodels: [linear]\nbudget: {time: 60s}\n"
    )
    command = [sys.executable, "-m", "tests.pipeline.killed", tmp_path / "headway.yaml", tmp_path / "runs", str(fatal)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stdout + killed.stderr
    (folder,) = (path for path in (tmp_path / "runs" / "table").iterdir() if path.name != "latest")
    assert not (folder / "result.json").exists()
    events = []
    resumed = run(resume=folder, listen=events.append)
    assert lasting(resumed.folder) == lasting(finished.folder)
    if fatal >= 5:
        assert [event.name for event in events if isinstance(event, StageFinished) and event.resumed][:2] == [
            "read",
            "clean",
        ]


def test_rows_of_the_test_part_that_stand_in_training_are_reported_before_the_training(tmp_path):
    texts = [f"{colour} {thing} {number}" for colour in ("red", "blue") for thing in "abcde" for number in range(30)]
    rows = pl.DataFrame({"text": texts, "label": [text.split()[0] for text in texts]})
    rows[::2].write_csv(tmp_path / "train.csv")
    rows[1::2].extend(rows[:10:2]).write_csv(tmp_path / "test.csv")
    project = build(
        data="train.csv", test="test.csv", target="label", inputs={"text": "text"}, models=["baseline"], folder=tmp_path
    )
    events = []
    run(project, out=tmp_path / "runs", listen=events.append)
    before = events[: next(i for i, event in enumerate(events) if isinstance(event, CandidateStarted))]
    said = [event.text for event in before if isinstance(event, Remark)]
    assert any(text.startswith("5 of 155 test rows also stand in training") for text in said), said


def test_a_finished_run_is_not_resumed(finished):
    with pytest.raises(RunError, match="finished already"):
        run(resume=finished.folder)


def test_a_run_that_is_under_way_is_not_resumed_beside_it(tmp_path):
    refused = []

    def listen(event):
        if isinstance(event, RunStarted):
            with pytest.raises(RunError, match="another process is at work"):
                run(resume=event.folder)
            refused.append(event.folder)

    done = run(table_project(tmp_path), out=tmp_path / "runs", listen=listen)
    assert refused == [done.folder]


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        run(resume=tmp_path)


def test_limits_nobody_meets_list_what_was_measured(tmp_path):
    with pytest.raises(BudgetError, match="size_mb"):
        run(table_project(tmp_path, limits={"size": 1e-6}), out=tmp_path / "runs")


def test_a_target_that_is_not_there_is_named(tmp_path):
    write_table(tmp_path)
    project = table_project(tmp_path).model_copy(update={"target": "lable"})
    with pytest.raises(ProjectError, match="did you mean label"):
        run(project, out=tmp_path / "runs")


def test_a_wanted_precision_sets_the_threshold(tmp_path):
    project = table_project(tmp_path, decision={"precision": 0.9, "label": "yes"})
    done = run(project, out=tmp_path / "runs")
    manifest = load(done.package).manifest
    assert manifest.threshold is not None
    assert manifest.threshold[0] == "yes"
    answers = pl.read_parquet(done.folder / "test_answers.parquet")
    said = answers.filter(pl.col("prediction") == "yes")
    assert (said["p_yes"] >= manifest.threshold[1] - 1e-6).all()


def test_a_decision_about_a_label_that_is_not_there_is_an_error(tmp_path):
    events = []
    with pytest.raises(ProjectError, match="no such label"):
        run(
            table_project(tmp_path, decision={"precision": 0.9, "label": "maybe"}),
            out=tmp_path / "runs",
            listen=events.append,
        )
    assert not any(isinstance(event, CandidateStarted) for event in events)


@pytest.mark.parametrize("decision", [{"precision": 0.9}, {"costs": {"yes": {"no": 5}}}])
def test_a_decision_about_numbers_is_an_error_before_any_training(tmp_path, decision):
    events = []
    project = table_project(tmp_path, decision=decision).model_copy(update={"target": "first"})
    with pytest.raises(ProjectError, match="a decision needs labels"):
        run(project, out=tmp_path / "runs", listen=events.append)
    assert not any(isinstance(event, CandidateStarted) for event in events)
    with pytest.raises(ProjectError, match="a decision needs labels"):
        check(project)


def test_a_setting_that_a_family_ignores_is_remarked(tmp_path):
    events = []
    run(table_project(tmp_path, training={"dropout": 0.5}), out=tmp_path / "runs", listen=events.append)
    assert any("training.dropout" in event.text for event in events if isinstance(event, Remark))


def lasting(folder):
    """Return what `result.json` says, without times."""

    def strip(value):
        if isinstance(value, dict):
            kept = {key: item for key, item in value.items() if key not in TIMES}
            return {key: strip(item) for key, item in kept.items() if key != "measured"}
        return [strip(item) for item in value] if isinstance(value, list) else value

    return strip(json.loads((folder / "result.json").read_text()))
