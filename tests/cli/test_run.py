"""Whole runs, as a user types them."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
PROJECT = "data: 顾客.csv\ntarget: 流失\nmodels: [baseline, linear]\nbudget: {time: 5m, memory: 2GB}\n"


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=300), rng.normal(size=300)
    label = np.where(a + b + rng.normal(size=300) / 4 > 0, "是", "否")
    pl.DataFrame({"消费": a, "次数": b, "流失": label}).write_csv(tmp_path / "顾客.csv")
    (tmp_path / "headway.yaml").write_text(PROJECT, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_from_check_to_answers(headway, folder):
    checked = headway("check", cwd=folder)
    assert checked.returncode == 0, checked.stderr
    assert "linear" in checked.stdout
    assert "headway run headway.yaml" in checked.stdout
    assert not (folder / "runs").exists()

    done = headway("run", cwd=folder)
    assert done.returncode == 0, done.stderr
    run = folder / "runs" / "顾客" / "latest"
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    assert f"{result['winner']} wins" in done.stdout
    for words in ("★ linear", "report.html", "headway predict runs/顾客/latest new.csv"):
        assert words in done.stdout

    answered = headway("predict", run, "顾客.csv", "--out", "答案.csv", cwd=folder)
    assert answered.returncode == 0, answered.stderr
    answers = pl.read_csv(folder / "答案.csv")
    assert (answers["prediction"] == answers["流失"]).mean() > 0.85
    evaluated = json.loads(headway("evaluate", run, "顾客.csv", "--json", cwd=folder).stdout)
    assert evaluated["metrics"]["accuracy"] > 0.85
    same = headway("compare", run, run, "--json", cwd=folder)
    assert json.loads(same.stdout)["better"] is None


@pytest.mark.slow
def test_quiet_chinese_and_another_place(headway, folder):
    done = headway("run", "headway.yaml", "--quiet", "--out", "结果", "--budget", "4m", cwd=folder, lang="zh")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert "胜出" in done.stdout
    run = folder / "结果" / "顾客" / "latest"
    assert 'lang="zh' in (run / "report.html").read_text(encoding="utf-8")
    named = headway("report", run, cwd=folder)
    assert named.stdout.strip().endswith("report.html")
    assert headway("report", run, "--lang", "en", cwd=folder).returncode == 0
    assert 'lang="en' in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_ctrl_c_names_the_command_that_goes_on(headway, folder):
    command = [sys.executable, "-m", "headway.cli", "run"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEADWAY_LANG": "en"}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    first, second = process.stdout.readline(), process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert "--resume" in first
    assert "read" in second
    assert process.returncode == 130, told
    assert "Traceback" not in told
    resume = re.search(r"headway run --resume (\S+)", told)
    assert resume is not None
    done = headway("run", "--resume", resume.group(1).strip("'"), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "from the earlier run" in done.stdout or "linear" in done.stdout


def test_a_resumed_run_keeps_its_project(headway, folder):
    done = headway("run", "headway.yaml", "--resume", "runs/x", cwd=folder)
    assert done.returncode == 1
    assert "keeps its project" in done.stderr


def test_without_a_project_file(headway, tmp_path):
    done = headway("run", cwd=tmp_path)
    assert done.returncode == 1
    assert "headway init" in done.stderr
