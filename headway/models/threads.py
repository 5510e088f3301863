"""How many threads small jobs get: on few rows threads mostly wait for each other, endlessly so on a busy machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_THREADED_ROWS = 20_000


def threads_for(rows: int) -> int:
    """Return the number of threads that pays off for `rows` rows of a table."""
    return 1 if rows < _THREADED_ROWS else 2


@contextmanager
def few_threads(rows: int) -> Iterator[None]:
    """Hold BLAS and OpenMP to `threads_for(rows)` threads."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(threads_for(rows)):
        yield
