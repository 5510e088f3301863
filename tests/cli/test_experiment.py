import json

import pytest

from headway.cli.experiment import read_arm
from headway.errors import ExperimentError, StoreError
from headway.serving.experiments.plan import Arm
from headway.serving.learning import Noted
from headway.serving.observing import Feedback, Opened, Served
from headway.serving.store.opening import open_store
from headway.serving.store.recorder import Recorder
from headway.serving.store.serving import tell_serving


@pytest.mark.parametrize(
    ("text", "arm"),
    [
        ("new=candidate", Arm("new", "candidate")),
        ("new=candidate:2.5", Arm("new", "candidate", 2.5)),
        ("新=模型:v2", Arm("新", "模型:v2")),
    ],
)
def test_arms_are_read(text, arm):
    assert read_arm(text) == arm


@pytest.mark.parametrize("text", ["new", "=x", "new=", ""])
def test_other_arms_are_refused(text):
    with pytest.raises(ExperimentError, match="describes no arm"):
        read_arm(text)


def test_an_experiment_from_start_to_stop(command, tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    tell_serving(open_store(url), [Opened(name, "v", "classify") for name in ("reviews", "candidate")])
    started = command(
        "experiment", "start", "shorter", "--model", "reviews", "--arm", "old=reviews:1", "--arm", "new=candidate:1",
        "--effect", "5%", "--latency", "50ms", "--store", url,
    )  # fmt: skip
    assert "shorter runs: old 50%, new 50%" in started
    fill(url)
    told = command("experiment", "report", "shorter", "--store", url)
    assert "new is better than the control" in told
    chinese = command("experiment", "report", "shorter", "--store", url, "--lang", "zh")
    assert "new 优于对照组" in chinese
    report = json.loads(command("experiment", "report", "shorter", "--store", url, "--json"))
    assert report["not_served"] == []
    assert report["better"] == "new"
    assert report["arms"][1]["units"] == 400
    assert command("experiment", "stop", "shorter", "--store", url, "--lang", "zh") == "shorter 已停止\n"
    listed = json.loads(command("experiment", "list", "--store", url, "--json"))
    assert listed == [{"name": "shorter", "model": "reviews", "running": False}]


def fill(url):
    events = []
    for number in range(800):
        arm = "new" if number % 2 else "old"
        right = number % 20 != 1 if arm == "new" else number % 4 != 0
        answer = {"prediction": "a" if right else "b", "confidence": 0.9, "probabilities": {}}
        events += [
            Noted(Served(f"r{number}", "reviews", "v", ({"x": 1},), (answer,), 0.01, arm=f"shorter/{arm}")),
            Noted(Feedback(f"r{number}", 0, "a", "reviews")),
        ]
    Recorder(open_store(url))(events)


def test_an_experiment_that_nobody_follows_says_so(command, tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    start = ("experiment", "start", "--model", "reviews", "--arm", "old=reviews", "--arm", "new=candidate")
    with pytest.raises(StoreError, match="no store"):
        command(*start, "early", "--store", url)
    assert not (tmp_path / "store.db").exists()
    opened = open_store(url)
    told = command(*start, "early", "--store", url)
    assert "early is written down" in told
    assert f"headway serve NAME=PACKAGE ... --store {url}" in told
    assert "no server uses this store yet" in command("experiment", "report", "early", "--store", url)
    assert "还没有服务使用这个存储" in command("experiment", "report", "early", "--store", url, "--lang", "zh")
    tell_serving(opened, [Opened("reviews", "v", "classify")])
    assert "do not serve candidate" in command("experiment", "report", "early", "--store", url)
    report = json.loads(command("experiment", "report", "early", "--store", url, "--json"))
    assert report["not_served"] == ["candidate"]
    command("experiment", "stop", "early", "--store", url)
    assert "没有提供：candidate" in command(*start, "later", "--store", url, "--lang", "zh")


def test_an_outcome_that_does_not_fit_is_told_before_it_runs(command, tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    tell_serving(open_store(url), [Opened("price", "v", "regress"), Opened("topic", "v", "classify")])
    start = ("experiment", "start", "e", "--arm", "a=price", "--arm", "b=x", "--store", url)
    with pytest.raises(ExperimentError, match="--outcome error or value"):
        command(*start, "--model", "price")
    with pytest.raises(ExperimentError, match="--outcome accuracy or value"):
        command(*start, "--model", "topic", "--outcome", "error")
    command(*start, "--model", "price", "--outcome", "error")


@pytest.mark.parametrize("arm", [("--arm", "new=wide"), ("--arm", "new=reviews", "--shadow", "dark=wide")])
def test_an_arm_that_reads_other_columns_is_refused_at_the_start(command, tmp_path, arm):
    url = f"sqlite:///{tmp_path}/store.db"
    own = Opened("reviews", "v", "classify", reads=("review", "city"))
    wide = Opened("wide", "v", "classify", reads=("review", "city", "stars"))
    tell_serving(open_store(url), [own, wide])
    start = ("experiment", "start", "--store", url)
    with pytest.raises(ExperimentError, match="need not send") as caught:
        command(*start, "e", "--model", "reviews", "--arm", "old=reviews", *arm)
    (problem,) = caught.value.problems
    assert (problem.got, problem.expected) == ("'stars'", "only such as reviews has: 'review', 'city'")
    assert "--model wide" in problem.fix
    assert json.loads(command("experiment", "list", "--store", url, "--json")) == []
    # The narrower one may take clients of the wider one.
    assert "e runs" in command(*start, "e", "--model", "wide", "--arm", "old=reviews", "--arm", "new=wide")


def test_an_arm_that_was_deployed_later_and_does_not_fit_is_reported(command, tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    opened = open_store(url)
    tell_serving(opened, [Opened(name, "v", "classify", reads=("review",)) for name in ("reviews", "candidate")])
    command("experiment", "start", "e", "--model", "reviews", "--arm", "old=reviews", "--arm", "new=candidate",
            "--store", url)  # fmt: skip
    assert "!" not in command("experiment", "report", "e", "--store", url)
    tell_serving(opened, [Opened("candidate", "v2", "classify", reads=("review", "stars"))])
    assert "need not send: 'stars'" in command("experiment", "report", "e", "--store", url)
    assert "不计入实验" in command("experiment", "report", "e", "--store", url, "--lang", "zh")
    (wrong,) = json.loads(command("experiment", "report", "e", "--store", url, "--json"))["misfits"]
    assert (wrong["what"], wrong["names"]) == ("columns", ["stars"])


def test_wrong_words_are_told(command, tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    start = ("experiment", "start", "e", "--model", "m", "--arm", "a=x", "--arm", "b=y", "--store", url)
    with pytest.raises(ExperimentError, match="accuracy, value or error"):
        command(*start, "--outcome", "love")
    with pytest.raises(ExperimentError, match="--window"):
        command(*start, "--window", "soon")
    with pytest.raises(StoreError, match="no store"):
        command("experiment", "report", "e", "--store", f"sqlite:///{tmp_path}/none.db")
