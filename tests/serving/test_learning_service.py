"""The service with all that learns from production, as `headway serve --store` starts it."""

import json
import time

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

import headway
from headway.cli.app import make_app
from headway.errors import ExperimentError
from headway.serving.store.alarms import read_alarms
from headway.serving.store.opening import open_store
from headway.serving.store.reading import read_stored
from headway.serving.store.serving import read_serving
from tests.serving.drift.watched import write_watched
from tests.serving.packages import write_tiny


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def command(*arguments):
    done = CliRunner().invoke(make_app(), list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.slow
def test_answers_and_feedback_are_kept_and_counted(running, tiny_package, tmp_path):
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    service = running(tiny_package, "--workers", "1", "--store", store)
    answer = httpx.post(f"{service.url}/v1/predict", json={"rows": [{"a": 1.0, "b": 2.0}], "user": "王芳"}).json()
    told = {"request_id": answer["request_id"], "truth": "好评"}
    wait_for(lambda: httpx.post(f"{service.url}/v1/feedback", json=told).json()["kept"])
    figures = httpx.get(f"{service.url}/metrics").text
    assert 'headway_learn_waiting{lane="store"}' in figures
    assert service.stop() == 0
    kept = read_stored(open_store(store, create=False))
    assert (kept.predictions, kept.feedback, kept.subjects) == (1, 1, 1)


@pytest.mark.slow
def test_experiments_on_values_and_on_errors_run_from_start_to_report(running, tiny_package, tmp_path):
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    values = write_tiny(tmp_path / "values", "values")
    served = {"shop": tiny_package, "shop2": tiny_package, "price": values, "price2": values}
    packages = [f"{name}={path}" for name, path in served.items()]
    service = running(*packages, "--workers", "1", "--store", store)
    wait_for(lambda: set(read_serving(open_store(store))) == set(served))
    for model, outcome in (("shop", "value"), ("price", "error")):
        arms = ("--arm", f"old={model}", "--arm", f"new={model}2")
        told = command("experiment", "start", outcome, "--model", model, *arms, "--outcome", outcome, "--store", store)
        assert f"{outcome} runs: old 50%, new 50%" in told
    with headway.Client(service.url) as client:

        def ask(model):
            return client.predict([{"a": 1.0, "b": 0.0}], model=model)

        for model in ("shop", "price"):  # the server follows the store every few seconds
            wait_for(lambda model=model: ask(model).model == f"{model}2")
        random = np.random.default_rng(0)
        for _ in range(300):
            bought, priced = ask("shop"), ask("price")
            spent = random.normal(12.5 if bought.model == "shop2" else 10.0)
            assert client.feedback(bought.request_id, value=spent, model="shop")
            off = random.normal(1.0 if priced.model == "price2" else 3.0, 0.5)
            assert client.feedback(priced.request_id, 2.0 + off, model="price")
    assert service.stop() == 0
    for outcome, means in (("value", (10.0, 12.5)), ("error", (-3.0, -1.0))):
        report = json.loads(command("experiment", "report", outcome, "--store", store, "--json"))
        assert sum(arm["units"] for arm in report["arms"]) == 300
        assert [arm["mean"] for arm in report["arms"]] == pytest.approx(means, abs=0.4)
        assert report["better"] == "new"


@pytest.mark.slow
def test_clients_are_answered_though_an_arm_reads_what_they_do_not_send(running, tiny_package, tmp_path):
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    start = (
        "experiment",
        "start",
        "--model",
        "numbers",
        "--arm",
        "old=numbers",
        "--arm",
        "new=mixed",
        "--store",
        store,
    )
    open_store(store).close()
    command(*start, "blind")  # nobody knows yet what will be served
    mixed = write_tiny(tmp_path / "mixed", "mixed")
    service = running(tiny_package, mixed, "--workers", "1", "--store", store, "--log", tmp_path / "log")
    wait_for(lambda: 'experiment="blind"' in httpx.get(f"{service.url}/metrics").text)
    with headway.Client(service.url) as client:
        asked = [client.predict([{"a": 1.0, "b": 0.0}], user=f"user {number}") for number in range(40)]
    assert {answered.model for answered in asked} == {"numbers"}
    wait_for(lambda: "mixed" in read_serving(open_store(store)))
    assert "need not send: 'n', 'when', 'city'" in command("experiment", "report", "blind", "--store", store)
    command("experiment", "stop", "blind", "--store", store)
    with pytest.raises(ExperimentError, match="need not send"):
        command(*start, "seeing")
    assert service.stop() == 0
    assert "arm new gets no traffic" in (tmp_path / "log").read_text("utf-8")


@pytest.mark.slow
def test_a_deployed_package_is_watched_by_its_own_reference(running, tmp_path):
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    first, second = (write_watched(tmp_path / f"mean{mean}", mean=mean) for mean in (0, 5))
    service = running(first, "--workers", "1", "--store", store, "--drift-window", "60", "--false-alarms", "0.1%")
    noise = np.random.default_rng(0).normal(0.0, 1.0, 60)

    def shifted(mean, model="numbers"):
        """Send a window of numbers around a mean; return the columns that its alarm is about ("": the answers)."""
        began = time.time()
        client.predict([{"a": float(mean + each), "b": 0.0} for each in noise], model=model)
        wait_for(lambda: read_alarms(open_store(store), since=began, model=model))  # the answers differ always
        (alarm,) = read_alarms(open_store(store), since=began, model=model)
        return {shift["column"] for shift in alarm.details["shifts"]}

    with headway.Client(service.url) as client:
        assert shifted(5.0) == {"", "a"}
        client.deploy(second)
        client.deploy(second, name="other")
        assert shifted(5.0) == shifted(5.0, "other") == {""}
        assert shifted(0.0) == shifted(0.0, "other") == {"", "a"}
    assert service.stop() == 0


@pytest.mark.slow
def test_drift_is_not_watched_where_it_is_not_wanted(running, tmp_path):
    package = write_watched(tmp_path / "package")
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    service = running(package, "--workers", "1", "--store", store, "--drift-window", "50", "--no-drift")
    httpx.post(f"{service.url}/v1/predict", json={"rows": [{"a": 9.0, "b": 0.0}] * 100})
    assert 'lane="drift"' not in httpx.get(f"{service.url}/metrics").text
    assert service.stop() == 0
    assert read_alarms(open_store(store)) == []
