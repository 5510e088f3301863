import sys

import psutil
import pytest

from headway.compute.memory import release_memory


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
