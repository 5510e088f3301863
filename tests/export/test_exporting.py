import json
from dataclasses import replace

import pytest

from headway.errors import ExportError, PackageError
from headway.export import export
from headway.export.browser import make_site
from headway.export.content import Options
from headway.export.packed import Packed
from headway.export.writing import RECORD
from headway.runtime.manifest import History, RowFeed
from tests.runtime.generation.packages import write_tiny
from tests.runtime.painters import write_painter


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


PLAIN, TEXT = ("onnx", "docker", "kubernetes", "browser"), ("gguf", "transformers")


def refused(package, target, out):
    """Return the parts of the error that refuses a package for a target."""
    with pytest.raises(ExportError) as caught:
        export(package, target, out=out)
    assert not out.exists()
    return caught.value.problems[0]


@pytest.mark.parametrize("target", [*PLAIN, *TEXT])
def test_each_refused_combination_says_what_to_do_instead(target, table_package, several_package, tmp_path):
    out, painter, writer = tmp_path / "out", write_painter(tmp_path / "painter"), write_tiny(tmp_path / "writer")
    problem = refused(painter, target, out)
    assert "draws pictures" in problem.what
    assert "headway serve" in problem.fix
    for package in [writer] if target in PLAIN else [table_package, several_package]:
        problem = refused(package, target, out)
        assert ("gguf" in problem.expected) == (package is writer)
        assert problem.got == f"--to {target}"
        assert "headway serve" in problem.fix


def test_several_targets_do_not_go_into_a_browser_yet(several_package, tmp_path):
    problem = refused(several_package, "browser", tmp_path / "out")
    assert "several targets cannot go there yet" in problem.what
    assert "docker" in problem.expected
    assert "headway serve" in problem.fix


PAST = History("when", ("city",), (), (3600.0,), None, None, (), 0, (), None, None)
ROW = RowFeed("rows", ("city", "n"), ("category", "number"))


@pytest.mark.parametrize(("change", "words"), [({"history": PAST}, "a history"), ({"feeds": (ROW,)}, "rows as texts")])
def test_what_needs_the_past_or_whole_rows_does_not_go_into_a_browser(packed_table, change, words):
    with pytest.raises(ExportError, match=words) as caught:
        make_site(Packed(replace(packed_table.manifest, **change), packed_table.files), Options())
    assert "--to docker" in caught.value.problems[0].fix
