"""What the page draws of production: a running experiment, drift and cost, filled through HTTP, in a real browser."""

import os
import time
from dataclasses import replace

import httpx
import numpy as np
import pytest

from headway.evaluation.drift.building import TargetAnswers, build_reference
from headway.evaluation.drift.storing import reference_to_json
from headway.package.opening import open_graph
from headway.package.writing import write_package
from headway.serving.experiments.keeping import start_experiment
from headway.serving.experiments.plan import Arm, Experiment, Guardrails
from headway.serving.store.opening import open_store
from tests.serving.packages import GRAPHS

pytestmark = pytest.mark.slow
# An experiment is looked at every minute, and a picture needs two looks with some fifty users in each arm.
LOOK, ASKED = 60.0, 30.0
FIGURES = """return [...document.querySelectorAll('#live figure')].map(each => {
    const svg = each.querySelector('svg.wide'), size = svg.getBoundingClientRect();
    return {words: each.innerText, wide: size.width, high: size.height,
            bands: svg.querySelectorAll('.band').length, lines: svg.querySelectorAll('path').length,
            bars: svg.querySelectorAll('rect').length};
})"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Two packages that know what their training rows looked like."""
    folder = tmp_path_factory.mktemp("watched")
    return [write_watched(folder / name / "package", name) for name in ("usual", "candidate")]


def write_watched(folder, name):
    manifest, graph = GRAPHS["numbers"]
    columns = {each: np.random.default_rng(0).normal(size=1000).tolist() for each in ("a", "b")}
    labels = ["好评", "差评"] * 200
    answers = {"": TargetAnswers("classify", labels, None, labels)}
    reference = build_reference(columns, dict.fromkeys(columns, "number"), answers=answers, seed=0)
    return write_package(
        folder, graph, replace(manifest, name=name), card="", columns=columns, expected=open_graph(graph).run(columns),
        reference=reference_to_json(reference),
    )  # fmt: skip


def fill(client):
    """Ask and correct as users do, and send the candidate rows that lie elsewhere than in training."""
    generator = np.random.default_rng(0)
    for number in range(240):
        row = dict(zip("ab", generator.normal(size=2).tolist(), strict=True))
        told = client.post("/v1/predict", json={"rows": [row], "model": "usual"}).json()
        right = told["predictions"][0]["prediction"] if number % 3 else "差评"
        client.post("/v1/feedback", json={"request_id": told["request_id"], "truth": right, "model": told["model"]})
    for _ in range(6):
        rows = [{"a": float(a), "b": float(b)} for a, b in generator.normal(3, 1, (100, 2))]
        assert client.post("/v1/predict", json={"rows": rows, "model": "candidate"}).status_code == 200


@pytest.fixture
def learning(running, watched, tmp_path):
    """A service with a running experiment, filled through HTTP."""
    url = f"sqlite:///{tmp_path}/store.db"
    service = running(*watched, "--workers", 1, "--store", url, "--machine-price", 0.5, "--log", os.devnull)
    plan = Experiment("shorter", "usual", (Arm("old", "usual"), Arm("new", "candidate")), effect=0.2, window=1.0,
                      guardrails=Guardrails(slower=1000.0), started=time.time() - LOOK + ASKED)  # fmt: skip
    start_experiment(open_store(url), plan)
    with httpx.Client(base_url=service.url, timeout=60) as client:
        deadline = time.monotonic() + 60
        while 'experiment="shorter"' not in client.get("/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        fill(client)
    return service


def test_experiment_drift_and_cost_are_drawn(learning, browse):
    browser = browse()
    for lang, titles in (("en", ("new", "Drift", "Cost")), ("zh", ("new", "数据漂移", "成本"))):
        browser.open(f"{learning.url}/?lang={lang}")
        experiment, drift, cost = browser.wait_for(lambda titles=titles: all_drawn(browser.run(FIGURES), titles), 240)
        assert experiment["bands"] >= 1
        assert drift["bars"] >= 2
        assert cost["lines"] >= 2
        for each in (experiment, drift, cost):
            assert each["wide"] > 600
            assert each["high"] > 50
    assert browser.complaints() == []


def all_drawn(figures, titles):
    """Return the figures of these titles, None until all are there."""
    found = [[each for each in figures if each["words"].startswith(title)] for title in titles]
    return [each[0] for each in found] if all(found) else None
