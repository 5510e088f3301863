import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import headway
from headway import errors
from headway.errors import ProjectError


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    a = rng.normal(size=200)
    pl.DataFrame({"a": a, "b": rng.normal(size=200), "y": np.where(a > 0, "up", "down")}).write_csv(tmp_path / "t.csv")
    return tmp_path / "t.csv"


def test_a_finished_run_shows_where_it_is_and_not_all_its_result():
    done = headway.FinishedRun(Path("runs/a"), Path("runs/a/report.html"), {"winner": "linear"}, Path("runs/a/package"))
    assert "report.html" in repr(done)
    assert "winner" not in repr(done)


@pytest.mark.slow
def test_arguments_in_and_a_package_out(table):
    seen = []
    run = headway.run(
        data=table,
        target="y",
        models=["baseline", "linear"],
        budget={"time": "5m"},
        out=table.parent / "runs",
        listen=seen.append,
    )
    assert isinstance(run, headway.FinishedRun)
    assert run.report.is_file()
    assert run.result["winner"] == "linear"
    assert [answer.prediction for answer in run.package.predict([{"a": 2.0, "b": 0.0}, {"a": -2.0, "b": 0.0}])] == [
        "up",
        "down",
    ]
    assert run.folder.parent == table.parent / "runs" / "t"
    assert seen


@pytest.mark.slow
def test_a_project_file_in_and_the_same_package_out(table):
    project = table.parent / "headway.yaml"
    project.write_text("data: t.csv\ntarget: y\nmodels: [baseline, linear]\nbudget: {time: 5m}\n", encoding="utf-8")
    run = headway.run(project, out=table.parent / "runs")
    assert run.package.predict([{"a": 2.0, "b": 0.0}])[0].prediction == "up"


def test_mistakes_are_told_all_at_once(table):
    with pytest.raises(ProjectError) as caught:
        headway.run(data=table, target="y", models=["linaer"], budget={"tiem": 3})
    assert len(caught.value.problems) == 2
    with pytest.raises(ProjectError, match="nothing to run"):
        headway.run()
    with pytest.raises(ProjectError, match="a project file and its keys at once"):
        headway.run("headway.yaml", data=table)


def test_the_name_is_there_and_its_import_is_light():
    code = "import sys, headway; headway.__version__; print([m for m in ('polars', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        headway.nothing  # noqa: B018


def test_the_errors_to_catch_stand_at_the_door():
    assert headway.HeadwayError is errors.HeadwayError
    found = {name: getattr(headway, name) for name in headway.__all__ if name.endswith("Error")}
    assert {"HeadwayError", "ProjectError", "DataError", "BudgetError", "InputError", "ServiceError"} <= set(found)
    assert all(issubclass(each, headway.HeadwayError) for each in found.values())
    assert {each.__name__ for each in found.values()} == set(found)


def test_everything_at_the_door_is_there():
    assert all(hasattr(headway, name) for name in headway.__all__)
    with pytest.raises(AttributeError, match="HedwayError"):
        _ = headway.HedwayError


def test_catching_an_error_imports_nothing_heavy():
    code = (
        "import sys; from headway import HeadwayError, InputError;"
        "print([m for m in ('polars', 'pydantic', 'numpy', 'httpx') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
