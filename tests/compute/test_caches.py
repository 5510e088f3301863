from pathlib import Path

from headway.compute.caches import cache_folder


def test_the_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path))
    assert cache_folder("bases") == tmp_path / "bases"
    monkeypatch.delenv("HEADWAY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("bases") == tmp_path / "headway" / "bases"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder("bases") == Path.home() / ".cache" / "headway" / "bases"
