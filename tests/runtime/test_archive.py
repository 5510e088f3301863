import contextlib
import hashlib
import json
import stat
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.errors import PackageError
from headway.runtime import load
from headway.runtime.archive import read_package
from headway.runtime.manifest import InputColumn, Manifest
from headway.runtime.manifest_json import to_json
from tests.runtime.graphs import number_graph

GRAPH = number_graph()
INPUTS = (InputColumn("a", "number"), InputColumn("b", "number"))


def members(**extra):
    """The files of a good package; `extra` are listed in its manifest too."""
    files = {"model.onnx": GRAPH.onnx, "card.md": b"# card", **extra}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = Manifest("m", "classify", "y", INPUTS, GRAPH.feeds, ("no", "yes"), files=digests)
    return {"manifest.json": to_json(manifest).encode(), **files}


def folder(path, files):
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def packed(path, files, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(params=[folder, packed])
def make(request, tmp_path):
    return lambda files: request.param(tmp_path / "p", files)


def test_a_whole_package_opens(make):
    manifest, files = read_package(make(members()))
    assert manifest.labels == ("no", "yes")
    assert set(files) == {"model.onnx", "card.md"}


@pytest.mark.parametrize("name", ["model.onnx", "card.md"])
def test_a_changed_byte_is_named(make, name):
    files = members()
    files[name] = files[name][:-1] + bytes([files[name][-1] ^ 1])
    with pytest.raises(PackageError, match=f"'{name}' was changed"):
        load(make(files))


def test_files_that_are_not_listed_or_not_there_are_named(make):
    with pytest.raises(PackageError, match=r"does not list: 'evil\.py'"):
        load(make(members() | {"evil.py": b"import os"}))


def test_a_listed_file_that_is_gone_is_named(make):
    files = members()
    del files["card.md"]
    with pytest.raises(PackageError, match=r"lacks files that its manifest lists: 'card\.md'"):
        load(make(files))


def test_an_unknown_version_is_refused(make):
    document = json.loads(members()["manifest.json"]) | {"format_version": 99}
    with pytest.raises(PackageError, match="unknown format version"):
        load(make(members() | {"manifest.json": json.dumps(document).encode()}))


def test_a_run_is_not_its_package_and_the_error_names_it(tmp_path):
    run = tmp_path / "runs" / "20260101-000000"
    run.mkdir(parents=True)
    (run / "result.json").write_text("{}")
    folder(run / "package", members())
    (run.parent / "latest").symlink_to(run.name)
    for place in (run, run.parent / "latest"):
        with pytest.raises(
            PackageError, match=rf"got: 'package', 'result.json'\n  next: did you mean {place}/package\?"
        ):
            load(place)
    with pytest.raises(PackageError, match=rf"did you mean {run.parent}/latest/package\?"):
        load(run.parent)


def test_no_manifest_no_package(make):
    with pytest.raises(PackageError, match="not a package"):
        load(make({"model.onnx": GRAPH.onnx}))


def test_what_is_not_there_or_not_a_zip_is_refused(tmp_path):
    with pytest.raises(PackageError, match="cannot be read"):
        load(tmp_path / "absent")
    (tmp_path / "x.headway").write_bytes(b"no zip")
    with pytest.raises(PackageError, match="not a package"):
        load(tmp_path / "x.headway")


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "C:\\evil", "a\\..\\evil", "a//b", "sub/", "x\ny"]
)
def test_members_that_climb_out_are_refused(tmp_path, name):
    with pytest.raises(PackageError, match="climbs out"):
        load(packed(tmp_path / "p", members() | {name: b""}))


def test_links_are_refused(tmp_path):
    linked = folder(tmp_path / "f", members())
    (linked / "card.md").unlink()
    (linked / "card.md").symlink_to("/etc/hostname")
    with pytest.raises(PackageError, match="not a plain file"):
        load(linked)
    (linked / "etc").symlink_to("/etc")
    with pytest.raises(PackageError, match="not a plain file"):
        load(linked)
    archive = packed(tmp_path / "z", members())
    with zipfile.ZipFile(archive, "a") as members_:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        members_.writestr(link, "/etc/passwd")
    with pytest.raises(PackageError, match="not a plain file"):
        load(archive)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    archive = packed(tmp_path / "z", members())
    with zipfile.ZipFile(archive, "a") as again:
        again.writestr("card.md", b"another")
    with pytest.raises(PackageError, match="two members"):
        load(archive)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    bomb = packed(tmp_path / "z", members() | {"zeros": b"\0" * 50_000_000}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(PackageError, match="zip bomb"):
        load(bomb)


def test_too_many_files_are_refused(make, monkeypatch):
    monkeypatch.setattr("headway.runtime.archive.MAX_FILES", 2)
    with pytest.raises(PackageError, match="too many files"):
        load(make(members()))


def test_too_large_a_package_is_refused(make, monkeypatch):
    monkeypatch.setattr("headway.runtime.archive.MAX_TOTAL", 100)
    with pytest.raises(PackageError, match="too large"):
        load(make(members()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=4))
def test_a_damaged_archive_opens_as_it_was_or_is_refused(tmp_path, position, junk):
    content = packed(tmp_path / "z", members()).read_bytes()
    position %= len(content)
    (tmp_path / "z").write_bytes(content[:position] + junk + content[position + len(junk) :])
    with contextlib.suppress(PackageError):
        assert read_package(tmp_path / "z")[1] == {name: members()[name] for name in ("model.onnx", "card.md")}
