import sys

import psutil
import pytest

from headway.compute.memory import is_tight, make_room, release_memory


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps freed memory in this way")
def test_freed_small_objects_go_back_to_the_system():
    process = psutil.Process()
    many = [bytes(1000) for _ in range(200_000)]
    kept = many[::1000]
    held = process.memory_info().rss
    del many
    release_memory()
    assert process.memory_info().rss < held - 100e6
    assert len(kept) == 200


def test_what_a_budget_leaves_free():
    held = psutil.Process().memory_info().rss / 1e6
    assert make_room(held + 1000) == pytest.approx(1000, abs=50)
    assert make_room(float("inf")) == float("inf")
    assert is_tight(held * 1.5)
    assert not is_tight(held * 3)
