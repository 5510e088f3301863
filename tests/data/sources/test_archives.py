import zipfile

import pytest

from headway.data.sources.archives import unpack
from headway.errors import DataError


def pack(path, entries, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_an_archive_is_unpacked_once(tmp_path):
    archive = pack(tmp_path / "a.zip", {"data/x.csv": "a,b\n1,2\n", "文件.txt": "y"})
    folder = unpack(archive, cache=tmp_path / "cache")
    assert (folder / "data" / "x.csv").read_text() == "a,b\n1,2\n"
    assert (folder / "文件.txt").is_file()
    (folder / "mark").touch()
    assert (unpack(archive, cache=tmp_path / "cache") / "mark").exists()
    assert [path for path in (tmp_path / "cache").iterdir() if path.name.startswith(".")] == []


def test_without_a_cache_a_temporary_folder_serves(tmp_path):
    folder = unpack(pack(tmp_path / "a.zip", {"x": "1"}), cache=None)
    assert (folder / "x").read_text() == "1"


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "..\\out.txt", "C:/out.txt"])
def test_an_entry_that_climbs_out_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="climbs out"):
        unpack(pack(tmp_path / "a.zip", {"fine.txt": "x", name: "x"}), cache=tmp_path / "cache")
    assert not (tmp_path / "out.txt").exists()
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_zip_bomb_is_stopped(tmp_path):
    bomb = pack(tmp_path / "bomb.zip", {f"{i}.csv": b"\0" * 40_000_000 for i in range(3)})
    with pytest.raises(DataError, match="decompression bomb"):
        unpack(bomb, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_damaged_archive_is_an_error(tmp_path):
    good = pack(tmp_path / "a.zip", {"x.csv": "a,b\n" * 1000}).read_bytes()
    (tmp_path / "bad.zip").write_bytes(good[:60])
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(tmp_path / "bad.zip", cache=tmp_path)


def test_names_in_gbk_are_read(tmp_path):
    raw = pack(tmp_path / "a.zip", {"xxxx.txt": "1"}, zipfile.ZIP_STORED).read_bytes()
    (tmp_path / "a.zip").write_bytes(raw.replace(b"xxxx.txt", "中文".encode("gbk") + b".txt"))
    assert (unpack(tmp_path / "a.zip", cache=tmp_path / "c") / "中文.txt").is_file()
