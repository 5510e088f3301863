import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from headway.errors import PackageError, ParityError
from headway.package.opening import open_graph
from headway.package.writing import archive_path, write_package
from headway.runtime import load
from headway.runtime.manifest import InputColumn, Manifest
from tests.runtime.graphs import number_graph

COLUMNS = {"a": [1.0, -1.0, None], "b": [0.0, 0.0, 3.0]}
MANIFEST = Manifest(
    "loans 贷款/2", "classify", "paid", (InputColumn("a", "number"), InputColumn("b", "number")), (), ("no", "yes")
)


def write(folder, *, graph=None, manifest=MANIFEST, expected=None, card="# Loans\n"):
    graph = graph or number_graph()
    expected = open_graph(graph).run(COLUMNS) if expected is None else expected
    return write_package(folder, graph, manifest, card=card, columns=COLUMNS, expected=expected)


def test_folder_and_archive_open_and_answer_alike(tmp_path):
    folder = write(tmp_path / "runs" / "package")
    archive = archive_path(folder, MANIFEST.name)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["loans-贷款-2.headway", "package"]
    assert sorted(path.name for path in folder.iterdir()) == ["card.md", "manifest.json", "model.onnx"]
    rows = [{"a": 1, "b": 0}, {"a": "-1", "b": None}]
    assert load(folder).predict(rows) == load(archive).predict(rows)
    assert [answer.prediction for answer in load(archive).predict(rows)] == ["yes", "no"]


def test_the_manifest_lists_files_feeds_and_libraries(tmp_path):
    manifest = json.loads((write(tmp_path / "p") / "manifest.json").read_text("utf-8"))
    assert set(manifest["files"]) == {"model.onnx", "card.md"}
    assert [feed["name"] for feed in manifest["feeds"]] == ["numbers"]
    assert {"headway", "numpy", "onnxruntime"} <= set(manifest["libraries"])
    assert manifest["created"]


def test_a_graph_that_disagrees_is_not_written(tmp_path):
    with pytest.raises(ParityError):
        write(tmp_path / "p", expected=np.full((3, 2), 0.5))
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_does_not_fit_is_not_written(tmp_path):
    with pytest.raises(PackageError, match="no labels"):
        write(tmp_path / "p", manifest=Manifest("m", "classify", "y", MANIFEST.inputs, ()))
    with pytest.raises(PackageError, match="not among the inputs"):
        write(tmp_path / "p", manifest=Manifest("m", "classify", "y", (), (), ("no", "yes")))
    assert not (tmp_path / "p").exists()


def test_an_older_package_is_replaced_and_leavings_are_removed(tmp_path):
    write(tmp_path / "p", card="old")
    (tmp_path / ".p.1.partial").mkdir()
    (tmp_path / ".loans-贷款-2.headway.1.partial").write_bytes(b"half")
    write(tmp_path / "p", card="new")
    assert (tmp_path / "p" / "card.md").read_text() == "new"
    assert list(tmp_path.glob(".*")) == []


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"mine")
    with pytest.raises(PackageError, match="something else"):
        write(tmp_path)
    assert (tmp_path / "photo.png").read_bytes() == b"mine"


def test_the_same_content_gives_the_same_archive(tmp_path):
    manifest = Manifest("m", "classify", "y", MANIFEST.inputs, (), ("no", "yes"), created="2026-01-01T00:00:00+00:00")
    first, second = (archive_path(write(tmp_path / name / "p", manifest=manifest), "m") for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_a_model_full_of_zeros_is_not_taken_for_a_bomb(tmp_path):
    folder = write(tmp_path / "p", card="0" * 5_000_000)
    archive = archive_path(folder, MANIFEST.name)
    assert load(archive).manifest.labels == ("no", "yes")
    with zipfile.ZipFile(archive) as members:
        assert members.getinfo("card.md").compress_type == zipfile.ZIP_STORED


def test_large_content_that_hardly_shrinks_is_stored_as_it_is(tmp_path):
    noise = np.random.default_rng(0).bytes(3 * 2**20)
    graph = replace(number_graph(), files={"noise.bin": noise})
    folder = write(tmp_path / "p", graph=graph)
    with zipfile.ZipFile(archive_path(folder, MANIFEST.name)) as members:
        assert members.getinfo("noise.bin").compress_type == zipfile.ZIP_STORED
    assert load(archive_path(folder, MANIFEST.name)).manifest.labels == ("no", "yes")
