import json
import signal
import subprocess
import sys

import polars as pl
import pytest

from headway.cli.places import find_package
from headway.errors import GateError, RunError
from headway.package.opening import open_graph
from headway.pipeline.compressing import Wish
from headway.pipeline.events import StageFinished
from headway.pipeline.recompressing import compress_again
from headway.pipeline.reporting import report_again
from headway.pipeline.run import run
from headway.project import build
from headway.runtime import load
from headway.runtime.archive import read_package
from tests.compression.graphs import COLUMNS, WIDTH, dense_graph, numbers_frame


def numbers_project(folder, **settings):
    """A project on numbers that a dense network answers; `mlp` has products large enough to be quantised."""
    frame = numbers_frame(700)
    labels = open_graph(dense_graph()).run(frame.to_dict()).argmax(1)
    frame.with_columns(label=pl.Series(["no" if label < 2 else "yes" for label in labels])).write_csv(folder / "t.csv")
    options = {"models": ["mlp"], "budget": {"time": 200}, "name": "numbers", **settings}
    inputs = dict.fromkeys(COLUMNS, "number")
    return build(data="t.csv", target="label", inputs=inputs, folder=folder, **options)


@pytest.fixture
def unhurried(monkeypatch):
    """What the graphs of these tests take is too little to tell on a busy machine which is slower."""
    monkeypatch.setattr("headway.compression.search.SLOWER", 100.0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    return run(numbers_project(folder), out=folder / "runs")


@pytest.fixture(scope="module")
def original(finished):
    """The manifest of the package as the run wrote it."""
    return (finished.folder / "package" / "manifest.json").read_bytes()


@pytest.fixture(scope="module")
def shipped(finished, original):
    """The run with a smaller package that ships."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("headway.compression.search.SLOWER", 100.0)
        return compress_again(finished.folder, Wish(0.2, 120.0, ("quantise",)))


def test_small_packages_are_left_alone_by_default(finished):
    assert finished.result["compression"] is None
    assert finished.package == finished.folder / "package"


def test_nothing_is_opened_where_no_time_is_left_to_make_it_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr("headway.pipeline.compressing.AUTO_SIZE", 0.0)
    monkeypatch.setattr("headway.pipeline.compressing.LEAST_SECONDS", 1e9)
    heard = []
    done = run(numbers_project(tmp_path), out=tmp_path / "runs", listen=heard.append)
    (note,) = (event.note for event in heard if isinstance(event, StageFinished) and event.name == "compress")
    assert note == "no time is left for it: `headway compress RUN` does it later"
    assert done.result["compression"] is None


def test_a_smaller_package_is_written_beside_the_original_and_told(finished, original, shipped):
    done = shipped
    assert done.compressed.chosen is not None, done.compressed.verdicts
    assert (finished.folder / "package" / "manifest.json").read_bytes() == original
    manifest, files = read_package(done.compressed.folder)
    assert {"card.md", "reference.json", "model.onnx"} <= set(files)
    assert manifest.winner.startswith("mlp, ")
    assert load(done.compressed.archive).predict(numbers_frame(3).to_dicts())
    whole = (finished.folder / "package" / "model.onnx").stat().st_size
    assert len(files["model.onnx"]) < 0.7 * whole
    result = json.loads((finished.folder / "result.json").read_text())
    assert result["compression"]["package"] == "compressed/package"
    assert result["compression"]["verdicts"][0]["status"] == "original"
    assert done.compressed.chosen.name in (finished.folder / "report.html").read_text()
    assert "更小更快" in report_again(finished.folder, lang="zh").read_text()


# `headway compress` once more, killed as `kill -9` does where the part of the second argument is to begin.
KILLED = """
import os, pathlib, signal, sys
import headway.compression.search
from headway.pipeline import compressing
from headway.pipeline.recompressing import compress_again

headway.compression.search.SLOWER = 100.0
setattr(compressing, sys.argv[2], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
compress_again(pathlib.Path(sys.argv[1]), compressing.Wish(0.2, 120.0, ("quantise",)))
"""


@pytest.mark.parametrize("part", ["score_graph", "save_verdicts"])
def test_a_killed_retry_leaves_a_run_that_predicts(shipped, part):
    killed = subprocess.run([sys.executable, "-c", KILLED, shipped.folder, part], check=False)
    assert killed.returncode == -signal.SIGKILL
    place = find_package(shipped.folder)
    assert place == shipped.folder / "compressed" / "package"
    assert load(place).predict(numbers_frame(3).to_dicts())


@pytest.mark.usefixtures("unhurried")
def test_a_retry_that_finds_nothing_leaves_what_ships(shipped):
    places = [shipped.folder / name for name in ("result.json", "compressed/verdicts.json")]
    told = [place.read_bytes() for place in places]
    with pytest.raises(GateError, match="keep compressed/package of an earlier call, which ships as before"):
        compress_again(shipped.folder, Wish(-1.0, 120.0, ("quantise",)))
    assert load(find_package(shipped.folder)).predict(numbers_frame(3).to_dicts())
    assert load(shipped.compressed.archive).predict(numbers_frame(3).to_dicts())
    assert [place.read_bytes() for place in places] == told


def test_nothing_is_written_where_nothing_passes_the_gate(tmp_path):
    done = run(numbers_project(tmp_path, models=["baseline"]), out=tmp_path / "runs")
    with pytest.raises(GateError):
        compress_again(done.folder, Wish(0.005, 60.0, ("quantise",)))
    assert not (done.folder / "compressed" / "package").exists()
    assert json.loads((done.folder / "result.json").read_text())["compression"]["chosen"] is None


@pytest.mark.usefixtures("unhurried")
def test_the_stage_of_a_run_ships_what_passes(tmp_path):
    wish = {"drop": 0.2, "time": 60, "methods": ["quantise"]}
    done = run(numbers_project(tmp_path, compress=wish), out=tmp_path / "runs")
    assert done.package == done.folder / "compressed" / "package"
    assert done.result["compression"]["measured"]["size_mb"] < done.result["measured"]["size_mb"]
    assert len(load(done.package).manifest.inputs) == WIDTH


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(RunError):
        compress_again(tmp_path, Wish(0.005, 60.0, ("quantise",)))
