"""Projects of several targets, from their files to packages, as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import headway
from headway.cli.drift import compare_rows
from headway.cli.evaluate import score_table
from headway.data.reading import read as read_table
from headway.errors import ProjectError
from headway.pipeline.checking import check
from headway.pipeline.reporting import report_again
from headway.project import build
from headway.runtime import load
from headway.runtime.verifying import verify
from headway.serving.drift.watching import read_reference
from tests.encoders.tiny import tiny_base
from tests.runtime.test_model import FORBIDDEN

# Commands run elsewhere, with the package that these tests belong to.
OWN = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HEADWAY_LANG": "en"}
TOPICS = ("awful", "lovely", "usual")


def write_rows(folder, rows=180, seed=0):
    """Texts and a number; a topic, whether it is urgent, and a price, each of which some rows lack."""
    random = np.random.default_rng(seed)
    topics = random.integers(0, 3, rows)
    size = random.normal(size=rows).round(3)
    urgent = np.where(size + random.normal(0, 0.3, rows) > 0.4, "yes", "no")
    price = (100 + 20 * size + 10 * topics + random.normal(0, 2, rows)).round(2)
    texts = [f"the room was {TOPICS[topic]} {random.integers(10_000)}" for topic in topics]
    columns = {
        "text": texts,
        "size": size,
        "topic": [TOPICS[topic] if random.random() > 0.2 else None for topic in topics],
        "urgent": [each if random.random() > 0.5 else None for each in urgent],
        "price": [each if random.random() > 0.1 else None for each in price.tolist()],
    }
    pl.DataFrame(columns).write_csv(folder / "rows.csv")
    return folder / "rows.csv"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a finished run of numbers and short texts, and the folder of its data."""
    folder = tmp_path_factory.mktemp("several")
    done = headway.run(
        data=write_rows(folder),
        targets={"topic": None, "urgent": "classify", "price": None},
        inputs={"text": "text", "size": "number"},
        models=["linear", "ngram_linear"],
        split={"folds": 2},
        budget={"time": 1800},
        name="several",
        out=folder / "runs",
    )
    return done, folder


def test_every_target_is_scored_on_the_rows_that_have_it(finished):
    done, _ = finished
    assert done.result["task"] == "several"
    assert done.result["metric"] == "mean_score"
    targets = done.result["targets"]
    assert [(name, told["task"], told["metric"]) for name, told in targets.items()] == [
        ("topic", "classify", "accuracy"),
        ("urgent", "classify", "accuracy"),
        ("price", "regress", "r2"),
    ]
    scores = [told["metrics"][told["metric"]] for told in targets.values()]
    assert done.result["metrics"]["mean_score"] == pytest.approx(np.mean(scores), abs=1e-6)
    assert min(scores) > 0.6
    assert targets["urgent"]["rows"] < done.result["rows"]["test"]
    assert "mean_score" in done.result["intervals"]
    tried = {row["name"]: row["metrics"] for row in done.result["candidates"]}
    assert {"mean_score", "accuracy:topic", "r2:price"} <= set(tried["linear"])


def test_the_package_answers_every_target(finished):
    done, _ = finished
    manifest = verify(done.package_path)
    assert [target.name for target in manifest.targets] == ["topic", "urgent", "price"]
    (answer,) = load(done.package_path).predict([{"text": "the room was lovely 7", "size": 1.5}])
    assert answer.prediction["topic"] == "lovely"
    assert answer.prediction["urgent"] == "yes"
    assert answer.prediction["price"] == pytest.approx(140, abs=15)
    assert answer.targets["topic"].probabilities.keys() == set(TOPICS)


def test_the_test_answers_name_their_targets(finished):
    done, _ = finished
    table = pl.read_parquet(done.folder / "test_answers.parquet")
    assert {"actual_topic", "prediction_topic", "confidence_topic", "p_topic_awful", "prediction_price"} <= set(
        table.columns
    )
    assert table["actual_urgent"].null_count() > 0


def test_the_answers_for_every_target_are_watched_for_drift(finished, tmp_path):
    done, folder = finished
    reference = read_reference(done.package_path)
    assert reference.targets == ("topic", "urgent", "price")
    told = {target: sum(reference.of(target, "mistakes")[0].counts) for target in reference.targets}
    assert told == {target: done.result["targets"][target]["rows"] for target in reference.targets}
    model = load(done.package_path)
    usual = compare_rows(done.package_path, model, read_table(str(folder / "rows.csv")).rows, 0.01)
    seen = {(shift.target, shift.aspect) for shift in usual.shifts if not shift.column}
    assert {("topic", "answer"), ("topic", "confidence"), ("price", "answer"), ("price", "mistakes")} <= seen
    later = read_table(str(write_rows(tmp_path, seed=1))).rows
    dearer = later.with_columns(price=pl.col("price").cast(pl.Float64) + 60)
    moved = compare_rows(done.package_path, model, dearer, 0.01)
    assert [(shift.target, shift.aspect) for shift in moved.alarms] == [("price", "mistakes")]


def test_rows_with_known_targets_are_evaluated(finished):
    done, folder = finished
    scores, unusable = score_table(load(done.package_path), read_table(str(folder / "rows.csv")))
    assert scores.metrics["accuracy:topic"] > 0.9
    assert scores.targets["price"].rows > scores.targets["urgent"].rows
    assert set(unusable) <= {"every target is missing"}


def test_the_report_tells_of_every_target_in_both_languages(finished):
    done, _ = finished
    english = done.report.read_text(encoding="utf-8")
    assert "Every target at a glance" in english
    for name in ("topic", "urgent", "price"):
        assert f"“{name}”" in english
    chinese = report_again(done.folder, lang="zh").read_text(encoding="utf-8")
    assert "各目标一览" in chinese
    assert "缺少 topic，它们仍用于学习其他目标" in chinese
    card = (done.package_path / "card.md").read_text(encoding="utf-8")
    assert "urgent: " in card


def test_what_is_wrong_is_told_before_any_training(tmp_path):
    write_rows(tmp_path)
    with pytest.raises(ProjectError, match="did you mean topic"):
        check(build(data="rows.csv", targets=["topik", "price"], folder=tmp_path))
    frame = pl.read_csv(tmp_path / "rows.csv")
    frame.with_columns(topic=pl.lit("awful")).write_csv(tmp_path / "one.csv")
    with pytest.raises(ProjectError, match="column topic: the target has one class"):
        check(build(data="one.csv", targets=["topic", "price"], folder=tmp_path))
    frame.rename({"urgent": "a", "topic": "a_b"}).with_columns(
        a=pl.Series(["b_x", "y"] * 90), a_b=pl.Series(["x", "z"] * 90)
    ).write_csv(tmp_path / "names.csv")
    with pytest.raises(ProjectError, match="two answers would have the same column"):
        check(build(data="names.csv", targets=["a", "a_b"], inputs={"text": "text"}, folder=tmp_path))


@pytest.fixture(scope="module")
def by_command(tmp_path_factory):
    """Check and run a project with a tiny base by commands, as a user does."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("command")
    write_rows(folder, rows=120)
    tiny_base(folder / "base")
    (folder / "headway.yaml").write_text(
        "name: several\ndata: rows.csv\ntargets: [topic, urgent, price]\ninputs: {text: text}\nbase: ./base\n"
        "models: [encoder_frozen, encoder_multitask]\ntraining: {epochs: 2}\nsplit: {folds: 2}\n"
        "budget: {time: 1800s}\n"
    )
    checked = command(folder, "check")
    ran = command(folder, "run")
    return folder, checked, ran


def command(folder, *arguments):
    asked = [sys.executable, "-m", "headway.cli", *arguments]
    done = subprocess.run(asked, cwd=folder, env=OWN, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_a_shared_encoder_competes_and_ships(by_command):
    folder, checked, ran = by_command
    assert "several targets" in checked
    assert "topic (classify): awful, lovely, usual" in checked
    assert "price (regress)" in checked
    assert "encoder_multitask" in checked
    result = json.loads((folder / "runs/several/latest/result.json").read_text(encoding="utf-8"))
    status = {row["name"]: row["status"] for row in result["candidates"]}
    assert set(status) >= {"baseline", "encoder_frozen", "encoder_multitask"}
    assert set(status.values()) <= {"won", "ok"}, result["candidates"]
    assert "wins" in ran


def test_the_commands_know_several_targets(by_command):
    folder = by_command[0]
    command(folder, "predict", "runs/several/latest", "rows.csv", "--out", "answers.csv")
    answers = pl.read_csv(folder / "answers.csv")
    assert {"prediction_topic", "confidence_topic", "p_topic_awful", "prediction_price"} <= set(answers.columns)
    assert "p_price" not in answers.columns
    told = json.loads(command(folder, "evaluate", "runs/several/latest", "rows.csv", "--json"))
    assert set(told["targets"]) == {"topic", "urgent", "price"}
    assert "topic (classify): awful, lovely, usual" in command(folder, "show", "runs/several/latest")
    compared = command(folder, "compare", "runs/several/latest", "runs/several/latest")
    assert "mean_score" in compared


def test_the_package_of_a_shared_encoder_needs_no_torch(by_command):
    folder = by_command[0]
    code = (
        "import sys, headway.runtime\n"
        "model = headway.runtime.load('runs/several/latest/package')\n"
        "print(sorted(model.predict([{'text': 'the room was awful'}])[0].prediction))\n"
        f"print([name for name in {FORBIDDEN} if name in sys.modules])"
    )
    asked = [sys.executable, "-c", code]
    done = subprocess.run(asked, cwd=folder, env=OWN, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["['price', 'topic', 'urgent']", "[]"]
