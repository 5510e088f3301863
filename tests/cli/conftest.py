import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from headway.runtime.manifest import InputColumn, Manifest, NumberFeed

ROOT = Path(__file__).parents[2]
GRAPH_INPUT = "numbers"


@pytest.fixture(scope="session")
def headway():
    """Run a command in a process of its own, as a user does."""

    def run(*arguments, cwd=None, lang="en"):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEADWAY_LANG": lang}
        command = [sys.executable, "-m", "headway.cli", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, env=environment, check=False
        )

    return run


@pytest.fixture(scope="session")
def command():
    """Run a command in this process; an error of a user's is raised."""
    from typer.testing import CliRunner

    from headway.cli.app import make_app

    def run(*arguments):
        result = CliRunner().invoke(make_app(), list(map(str, arguments)), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def describe_tiny(**changes):
    keys = {
        "name": "tiny",
        "task": "classify",
        "target": "标签",
        "inputs": (InputColumn("a", "number"), InputColumn("b", "number")),
        "feeds": (NumberFeed(GRAPH_INPUT, ("a", "b")),),
        "labels": ("差评", "好评"),
        "winner": "linear",
        "metrics": {"accuracy": 0.9},
        "intervals": {"accuracy": (0.85, 0.95)},
    }
    return Manifest(**{**keys, **changes})


@pytest.fixture(scope="session")
def model():
    """A real model of two numbers: the answer is 好评 where their sum is above 0."""
    from headway.runtime.archive import MODEL
    from headway.runtime.model import assemble

    return assemble(describe_tiny(), {MODEL: build_sum()})


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    """A finished run with the same model as its package, in both its forms."""
    import json

    from headway.package.graph import Graph
    from headway.package.writing import write_package

    run = tmp_path_factory.mktemp("runs") / "tiny" / "20260101-000000"
    rows = {"a": np.array([1.0, -2.0, 3.0]), "b": np.array([1.0, 1.0, -5.0])}
    sums = rows["a"] + rows["b"]
    expected = np.stack([1 / (1 + np.exp(2 * sums)), 1 / (1 + np.exp(-2 * sums))], axis=1).astype(np.float32)
    manifest = describe_tiny()
    graph = Graph(build_sum(), manifest.feeds)
    write_package(run / "package", graph, manifest, card="# tiny", columns=rows, expected=expected)
    (run / "result.json").write_text(json.dumps({"package": "package", "winner": "linear", "task": "classify"}))
    (run.parent / "latest").symlink_to(run.name)
    return run


def build_sum():
    import spox
    import spox.opset.ai.onnx.v21 as op

    numbers = spox.argument(spox.Tensor(np.float32, ("rows", 2)))
    known = op.where(op.isnan(numbers), op.const(np.float32(0)), numbers)
    weights = op.const(np.array([[-1.0, 1.0], [-1.0, 1.0]], dtype=np.float32))
    probabilities = op.softmax(op.matmul(known, weights), axis=1)
    return spox.build({GRAPH_INPUT: numbers}, {"probabilities": probabilities}).SerializeToString()
