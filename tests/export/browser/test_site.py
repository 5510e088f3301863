import shutil

import numpy as np
import pytest
import spox
import spox.opset.ai.onnx.v21 as op

from headway.errors import ExportError
from headway.export import export
from headway.export.browser import trying
from headway.package.graph import Graph
from headway.package.writing import write_package
from headway.runtime import load
from headway.runtime.manifest import InputColumn, Manifest, NumberFeed
from tests.export.browser.node import needs_node


@needs_node
@pytest.mark.parametrize("package", ["table_package", "image_package", "token_package", "value_package"])
def test_the_page_holds_the_package_and_answers_as_it_does(package, request, web_runtime, tmp_path):
    path = request.getfixturevalue(package)
    done = export(path, "browser", out=tmp_path / "site", runtime=web_runtime)
    assert done.remarks == ()
    assert load(tmp_path / "site" / "package").manifest == load(path).manifest
    for name in ("index.html", "page.js", "runtime/model.js", "onnxruntime/ort.wasm", "README.md", "README.zh.md"):
        assert (tmp_path / "site" / name).is_file()


@needs_node
def test_a_page_that_answers_differently_is_not_written(table_package, web_runtime, tmp_path, monkeypatch):
    ask = trying._ask
    monkeypatch.setattr(trying, "_ask", lambda *given: (np.array(ask(*given)) * 0.9).tolist())
    with pytest.raises(ExportError, match="answers differently"):
        export(table_package, "browser", out=tmp_path / "site", runtime=web_runtime)
    assert not (tmp_path / "site").exists()


@needs_node
def test_an_operator_that_the_browser_lacks_is_named(table_package, web_runtime, tmp_path, monkeypatch):
    """Python's runtime has every operator that onnxruntime-web has; this one is renamed on its way into the page."""
    files = trying._ask

    def without(node, given, rows):
        model = given["package/model.onnx"].replace(b"LabelEncoder", b"LabelEncodes")
        return files(node, {**given, "package/model.onnx": model, **forged(given, model)}, rows)

    def forged(given, model):
        import hashlib

        old = hashlib.sha256(given["package/model.onnx"]).hexdigest().encode()
        new = hashlib.sha256(model).hexdigest().encode()
        return {"package/manifest.json": given["package/manifest.json"].replace(old, new)}

    monkeypatch.setattr(trying, "_ask", without)
    with pytest.raises(ExportError, match="LabelEncodes") as caught:
        export(table_package, "browser", out=tmp_path / "site", runtime=web_runtime)
    assert "--to docker" in str(caught.value)


@needs_node
def test_a_file_that_was_changed_is_refused(table_package, web_runtime, tmp_path, monkeypatch):
    ask = trying._ask
    monkeypatch.setattr(
        trying, "_ask", lambda node, files, rows: ask(node, {**files, "package/model.onnx": b"other"}, rows)
    )
    with pytest.raises(ExportError, match="a file was changed"):
        export(table_package, "browser", out=tmp_path / "site", runtime=web_runtime)


def test_without_node_the_page_is_written_untried(table_package, web_runtime, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    done = export(table_package, "browser", out=tmp_path / "site", runtime=web_runtime)
    assert done.remarks == ("untried",)


@needs_node
def test_values_far_from_one_are_compared_by_their_size(web_runtime, tmp_path):
    cells = spox.argument(spox.Tensor(np.float32, ("rows", 1)))
    filled = op.where(op.isnan(cells), op.const(np.float32(0)), cells)
    clipped = op.clip(filled, op.const(np.float32(-1e6)), op.const(np.float32(1e6)))
    onnx = spox.build({"n": cells}, {"values": op.mul(clipped, op.const(np.float32(1.37)))}).SerializeToString()
    feeds = (NumberFeed("n", ("a",)),)
    manifest = Manifest("scaled", "regress", "y", (InputColumn("a", "number", 12345.678),), feeds)
    columns, expected = {"a": [1.0, 2e5]}, np.array([1.37, 2.74e5], np.float32)
    path = write_package(tmp_path / "p", Graph(onnx, feeds), manifest, card="", columns=columns, expected=expected)
    assert export(path, "browser", out=tmp_path / "site", runtime=web_runtime).remarks == ()
