"""Tests of the weights that vLLM reads: written once for each package, as a whole."""

import os

import pytest

from headway.runtime.archive import read_package
from headway.serving.writing.vllm.weights import read_sizes, weights_folder
from tests.runtime.generation.packages import CONFIG, write_tiny


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "vllm"


def test_a_package_is_written_once(tmp_path, cache):
    manifest, files = read_package(write_tiny(tmp_path / "package"))
    folder = weights_folder(manifest, files)
    assert folder.parent == cache
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert read_sizes(folder) == CONFIG
    (folder / "mark").write_text("kept")
    assert weights_folder(manifest, files) == folder
    assert (folder / "mark").exists()


def test_another_package_gets_another_folder_and_half_of_one_is_not_taken(tmp_path, cache):
    folders = set()
    for seed in (0, 1):
        manifest, files = read_package(write_tiny(tmp_path / str(seed), seed=seed))
        folders.add(weights_folder(manifest, files))
    assert len(folders) == 2

    class Full(dict):
        def __getitem__(self, name):
            raise OSError(28, "No space left on device")

    manifest, files = read_package(write_tiny(tmp_path / "other", window=64))
    with pytest.raises(OSError, match="No space"):
        weights_folder(manifest, Full(files))
    assert {path for path in cache.iterdir() if not path.name.startswith(".")} == folders


def test_only_the_last_four_are_kept(tmp_path, cache):
    found = []
    for place, window in enumerate((60, 61, 62, 63, 64)):
        manifest, files = read_package(write_tiny(tmp_path / str(window), window=window))
        found.append(weights_folder(manifest, files))
        os.utime(found[-1], (place, place))
    weights_folder(manifest, files)
    assert set(cache.iterdir()) == set(found[1:])
