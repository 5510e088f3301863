import psutil
import pytest

from headway.serving.memory import left, taken


def test_a_container_has_no_more_than_its_limit(tmp_path):
    assert left(tmp_path) > 1e6
    (tmp_path / "memory.current").write_text("1000000")
    (tmp_path / "memory.max").write_text("max")
    assert left(tmp_path) > 1e6
    (tmp_path / "memory.max").write_text("1500000")
    assert left(tmp_path) == 500_000
    (tmp_path / "memory.max").write_text("900000")
    assert left(tmp_path) == 0


def test_the_figures_are_those_of_the_system():
    assert taken() == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert 0 < left() <= psutil.virtual_memory().total
