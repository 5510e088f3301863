import json

import pytest

from headway.errors import ExportError, PackageError
from headway.export import export
from headway.export.writing import RECORD


def test_the_folder_is_named_after_package_and_target(table_package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = export(table_package, "kubernetes")
    assert str(done.folder) == "linear-classify-kubernetes"
    record = json.loads((done.folder / RECORD).read_text())
    assert record["target"] == "kubernetes"
    assert record["package"] == "linear classify"


def test_the_one_file_form_gives_the_same(table_package, tmp_path):
    export(table_package, "onnx", out=tmp_path / "a")
    export(table_package.with_name("linear-classify.headway"), "onnx", out=tmp_path / "b")
    assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()
    }


def test_a_second_export_replaces_the_first_as_a_whole(table_package, tmp_path):
    export(table_package, "onnx", out=tmp_path / "out")
    export(table_package, "kubernetes", out=tmp_path / "out")
    assert not (tmp_path / "out" / "model.onnx").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_something_else_is_left_alone(table_package, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ExportError, match="holds something else") as caught:
        export(table_package, "onnx", out=tmp_path)
    assert "--out" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_is_no_package_is_refused(tmp_path):
    with pytest.raises(PackageError):
        export(tmp_path, "onnx", out=tmp_path / "out")


@pytest.mark.parametrize("name", ["UPPER", "a b", "x;rm -rf", "-flag", "a\nRUN evil"])
def test_a_wrong_image_name_is_refused(table_package, tmp_path, name):
    with pytest.raises(ExportError, match="name of an image"):
        export(table_package, "kubernetes", out=tmp_path / "out", image=name)


def test_an_unknown_target_names_the_known_ones(table_package):
    with pytest.raises(ExportError, match="onnx, docker, kubernetes, browser, gguf, transformers"):
        export(table_package, "floppy")


def test_several_targets_do_not_go_into_a_browser_yet(several_package, tmp_path):
    with pytest.raises(ExportError, match="several targets cannot go there yet"):
        export(several_package, "browser", out=tmp_path / "out")
