"""A disk that is really full, where a small one may be mounted; else one that says so."""

import errno
import os
import shutil
import subprocess
from contextlib import suppress

import numpy as np
import polars as pl
import pytest

from headway.cli.trouble import word_error
from headway.errors import DataError, RunError
from headway.pipeline.events import CandidateStarted, StageFinished, StageStarted, Unkept
from headway.pipeline.room import told_of_full_disk
from headway.pipeline.run import run
from tests.pipeline.projects import table_project


@pytest.fixture
def small(tmp_path):
    """A file system of eight megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place):
    """Leave no byte free."""
    with (place / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    assert shutil.disk_usage(place).free == 0


@pytest.mark.parametrize("stage", ["clean", "tournament", "linear", "evaluate", "package", "report"])
def test_a_run_on_a_full_disk_says_what_to_free_and_goes_on_after(small, tmp_path, stage):
    events = []

    def listen(event):
        events.append(event)
        if isinstance(event, StageStarted | CandidateStarted) and event.name == stage:
            fill(small)

    with pytest.raises(RunError, match="the disk is full") as caught:
        run(table_project(tmp_path, budget={"time": 600}), out=small / "runs", listen=listen)
    (folder,) = (small / "runs" / "table").iterdir()
    (problem,) = caught.value.problems
    assert problem.where == str(folder)
    assert problem.got == "0.0 MB free"
    assert problem.fix == f"free room on this disk, then: headway run --resume {folder}"
    assert "磁盘已满" in word_error(caught.value, "zh")
    assert "腾出这块磁盘上的空间" in word_error(caught.value, "zh")
    # Nothing is half written.
    assert [file for file in folder.rglob(".*") if file.name not in (".shipped", ".begun")] == []
    assert not (folder / "result.json").exists()
    told = [event.text for event in events if isinstance(event, Unkept)]
    assert bool(told) == (stage == "linear")
    (small / "ballast").unlink()
    again = []
    done = run(resume=folder, listen=again.append)
    assert (done.package / "manifest.json").exists()
    if stage in ("evaluate", "package", "report"):
        assert [each.name for each in again if isinstance(each, StageFinished) and each.resumed][:2] == [
            "read",
            "clean",
        ]


def test_what_writers_say_of_a_full_disk_is_understood(small):
    fill(small)
    writers = (
        lambda: pl.DataFrame({"text": ["a"] * 10}).write_parquet(small / "a.parquet"),
        lambda: np.save(small / "a.npy", np.zeros(100_000)),
        lambda: np.savez(small / "a.npz", np.zeros(100_000)),
        lambda: (small / "a.txt").write_text("a" * 100_000),
    )
    for write in writers:
        with pytest.raises(RunError, match="the disk is full"), told_of_full_disk(small):
            write()


def test_older_runs_that_could_be_deleted_are_told(tmp_path):
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "model").write_bytes(b"\0" * 3 * 2**20)
    (tmp_path / "run").mkdir()
    with pytest.raises(RunError) as caught, told_of_full_disk(tmp_path / "run"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    (problem,) = caught.value.problems
    assert problem.fix == f"free room on this disk (older runs in {tmp_path} take 3 MB), then: start the run again"


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(DataError, match="no rows"), told_of_full_disk(tmp_path):
        raise DataError("no rows")
    with pytest.raises(PermissionError), told_of_full_disk(tmp_path):
        raise PermissionError(errno.EACCES, "no")
