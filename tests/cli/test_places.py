import json

import pytest

from headway.cli.places import find_package, find_run
from headway.errors import RunError


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "runs" / "reviews" / "20260101-000000"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "manifest.json").write_text("{}")
    (folder / "result.json").write_text(json.dumps({"package": "package"}))
    (folder.parent / "latest").symlink_to(folder.name)
    return folder


def test_a_package_is_found_from_anywhere(run, tmp_path):
    zipped = tmp_path / "reviews.headway"
    zipped.write_bytes(b"PK")
    assert find_package(zipped) == zipped
    for path in (run, run / "package", run.parent / "latest", run.parent):
        assert find_package(path).resolve() == run / "package"


def test_a_run_means_its_smaller_package_and_where_that_is_gone_the_original(run):
    smaller = run / "compressed" / "package"
    (run / "result.json").write_text(json.dumps({"package": "package", "compression": {"package": str(smaller)}}))
    assert find_package(run) == run / "package"
    smaller.mkdir(parents=True)
    (smaller / "manifest.json").write_text("{}")
    assert find_package(run) == smaller


def test_latest_may_be_a_text_file(run):
    (run.parent / "latest").unlink()
    (run.parent / "latest").write_text(run.name)
    assert find_package(run.parent / "latest") == run / "package"
    assert find_run(run.parent / "latest") == run


def test_a_missing_path_gets_the_nearest_name(run):
    with pytest.raises(RunError, match=r"did you mean .*latest\?"):
        find_package(run.parent / "latset")


def test_a_misspelt_folder_on_the_way_gets_the_nearest_name(run):
    with pytest.raises(RunError, match=r"did you mean .*reviews/latest\?"):
        find_package(run.parent.parent / "revews" / "latest")


def test_what_is_like_nothing_names_the_runs_that_there_are(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="the runs here are runs/reviews/latest"):
        find_run(run.parent.parent / "spam" / "latest")
    monkeypatch.chdir(run)
    with pytest.raises(RunError, match="runs are under"):
        find_run(run.parent.parent / "spam" / "latest")


def test_an_unfinished_run_names_resume(tmp_path):
    (tmp_path / "project.json").write_text("{}")
    with pytest.raises(RunError, match="headway run --resume"):
        find_package(tmp_path)
    with pytest.raises(RunError, match="headway run --resume"):
        find_run(tmp_path)
