import json
import re

import pytest

import headway
from headway.errors import BudgetError, ProjectError, RunError
from headway.pipeline.run import run
from headway.report.translation import translate_error
from headway.training.events import CandidateFinished
from tests.pipeline.projects import table_project


def killed_after_the_last_candidate(folder, **settings):
    """Return the folder of a run that was stopped once `linear` had its turn."""

    def listen(event):
        if isinstance(event, CandidateFinished) and event.name == "linear":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(table_project(folder, **settings), out=folder / "runs", listen=listen)
    (found,) = (folder / "runs" / "table").iterdir()
    return found


def statuses(result):
    return {row["name"]: row["status"] for row in result["candidates"]}


@pytest.fixture
def starved(tmp_path):
    """A killed run whose budget held nothing but the baseline: the time kept for its end is more than all of it."""
    return killed_after_the_last_candidate(tmp_path, budget={"time": 1})


def test_a_run_with_more_time_lets_those_that_had_none_take_their_turn(starved):
    assert json.loads((starved / "candidates" / "linear" / "outcome.json").read_text())["status"] == "skipped"
    done = run(resume=starved, time="20m")
    assert statuses(done.result) == {"baseline": "ok", "linear": "won"}
    assert done.result["budget_seconds"] == 1200


def test_a_run_that_is_killed_once_more_keeps_the_time_it_was_given(starved):
    def listen(event):
        if isinstance(event, CandidateFinished):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(resume=starved, time=1200, listen=listen)
    assert run(resume=starved).result["budget_seconds"] == 1200


def test_without_more_time_a_resumed_run_tries_nothing_again(starved):
    assert statuses(run(resume=starved).result) == {"baseline": "won", "linear": "skipped"}


def test_from_python_too(starved):
    assert headway.run(resume=starved, budget={"time": "20m"}).result["winner"] == "linear"


def test_a_resumed_run_from_python_keeps_the_rest_of_its_project(starved):
    with pytest.raises(ProjectError, match="keeps its project"):
        headway.run(resume=starved, budget={"memory": "8GB"})


@pytest.mark.parametrize("time", ["1s", 0.5])
def test_a_run_is_not_given_less_time(starved, time):
    with pytest.raises(RunError, match=r"more than the 1s it has(.|\n)*leave it out"):
        run(resume=starved, time=time)


def test_limits_that_nobody_meets_are_to_be_changed_in_the_project(tmp_path):
    project = table_project(tmp_path, limits={"size": 1e-6})
    with pytest.raises(BudgetError) as first:
        run(project, out=tmp_path / "runs")
    (folder,) = (tmp_path / "runs" / "table").iterdir()
    with pytest.raises(BudgetError) as again:
        run(resume=folder)
    for caught in (first, again):
        fix = caught.value.problems[0].fix
        assert "run the project anew" in fix
        assert re.search("[a-z]{4}", translate_error(fix, "zh").replace("limits", "").replace("models", "")) is None
