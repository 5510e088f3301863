import json
import shutil

import pytest

from headway.errors import ExportError
from headway.export.browser import webruntime
from headway.export.browser.webruntime import find_web_runtime


def test_a_folder_with_node_modules_will_do(web_runtime, tmp_path):
    shutil.copytree(web_runtime, tmp_path / "node_modules" / "onnxruntime-web")
    found = find_web_runtime(tmp_path)
    assert found.version == webruntime.VERSION
    assert set(found.files) == {"ort.js", "ort.wasm"}


def test_changed_bytes_of_the_known_version_are_refused(web_runtime, tmp_path):
    shutil.copytree(web_runtime, tmp_path / "changed")
    with (tmp_path / "changed" / webruntime._SCRIPT).open("ab") as file:
        file.write(b"steal()")
    with pytest.raises(ExportError, match="was changed"):
        find_web_runtime(tmp_path / "changed")


def test_another_version_is_taken_as_it_is(web_runtime, tmp_path):
    shutil.copytree(web_runtime, tmp_path / "other")
    (tmp_path / "other" / "package.json").write_text(json.dumps({"version": "9.9.9"}))
    (tmp_path / "other" / webruntime._SCRIPT).write_bytes(b"export {}")
    assert find_web_runtime(tmp_path / "other").version == "9.9.9"


def test_an_empty_folder_names_the_command(tmp_path):
    with pytest.raises(ExportError, match="npm install onnxruntime-web@"):
        find_web_runtime(tmp_path)


def test_without_npm_the_other_way_is_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ExportError, match="--runtime"):
        find_web_runtime(None)


def test_an_npm_that_fails_is_quoted(monkeypatch, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error 404 nowhere' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(npm))
    with pytest.raises(ExportError, match="404 nowhere"):
        find_web_runtime(None)
