"""Tests of proving packages of every task."""

import pytest

from headway.errors import PackageError
from headway.runtime.verifying import verify
from tests.runtime.generation.packages import write_tiny as write_text
from tests.serving.packages import write_tiny as write_numbers


def test_packages_of_every_task_are_proven(tmp_path):
    assert verify(write_text(tmp_path / "text")).task == "generate"
    assert verify(write_numbers(tmp_path / "numbers")).task == "classify"
    (tmp_path / "text" / "model.onnx").write_bytes(b"broken")
    with pytest.raises(PackageError, match="was changed"):
        verify(tmp_path / "text")


def test_a_manifest_that_contradicts_itself_is_refused(tmp_path):
    for change in ({"window": 0}, {"end_ids": (-1,)}):
        with pytest.raises(PackageError, match="contradicts itself"):
            write_text(tmp_path / "wrong", **change)
