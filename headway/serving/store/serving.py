"""Which packages the servers that use a store answer with, and when they were last heard of."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from headway.serving.observing import Opened
from headway.serving.store.opening import Store, reaching

# A server says that it is there this often; one that was not heard of for three times as long has gone (seconds).
TOLD_EVERY = 30.0
GONE_AFTER = 3 * TOLD_EVERY


@dataclass(frozen=True)
class Serving:
    """A package by the name that it is served under, and when a server last said so (seconds since 1970 UTC).

    `reads` and `labels` as in `observing.Opened`.
    """

    model: str
    version: str
    task: str
    at: float
    reads: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def tell_serving(store: Store, packages: Iterable[Opened], *, at: float | None = None) -> None:
    """Write down what a server answers with now; raises `StoreError`."""
    from sqlalchemy.dialects import postgresql, sqlite

    from headway.serving.store.tables import serving

    now = time.time() if at is None else at
    # In one order, so that servers do not wait for each other's rows.
    rows = [
        {"model": each.name[:200], "version": each.version[:200], "task": each.task, "at": now,
         "reads": _write(each.reads), "labels": _write(each.labels)}
        for each in sorted(packages, key=lambda each: each.name)
    ]  # fmt: skip
    insert = (sqlite.insert if store.is_sqlite else postgresql.insert)(serving)
    news = {name: insert.excluded[name] for name in ("version", "task", "at", "reads", "labels")}
    with reaching(store, "does not take what is served"), store.engine.begin() as connection:
        for row in rows:
            connection.execute(insert.on_conflict_do_update(index_elements=["model"], set_=news), row)


def read_serving(store: Store, *, since: float | None = None) -> dict[str, Serving]:
    """Return what is served now (heard of since a time, `GONE_AFTER` seconds ago by default) by model."""
    from sqlalchemy import select

    from headway.serving.store.tables import serving as s

    earliest = time.time() - GONE_AFTER if since is None else since
    with reaching(store, "cannot be read"), store.engine.connect() as connection:
        found = connection.execute(select(s).where(s.c.at >= earliest).order_by(s.c.model))
        return {
            each.model: Serving(each.model, each.version, each.task, each.at, _read(each.reads), _read(each.labels))
            for each in found
        }


def _write(names: tuple[str, ...]) -> str:
    # Text of a client's own may hold half a character, which PostgreSQL does not take.
    return json.dumps(names, ensure_ascii=False).encode("utf-8", "replace").decode()


def _read(names: str | None) -> tuple[str, ...]:
    return tuple(json.loads(names)) if names else ()
