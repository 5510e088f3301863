"""Forget: by age, and by person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from headway.serving.store.opening import Store, hash_subject, reaching, read_setting


@dataclass(frozen=True)
class Deleted:
    """How many rows were deleted."""

    predictions: int
    feedback: int
    alarms: int = 0


def prune(store: Store, *, before: float) -> Deleted:
    """Delete everything older than `before` (seconds since 1970); raises `StoreError`."""
    from sqlalchemy import delete

    from headway.serving.store.tables import alarms, feedback, predictions

    with reaching(store, "cannot be pruned"), store.engine.begin() as connection:
        counts = [
            _count(connection.execute(delete(table).where(table.c.at < before)))
            for table in (predictions, feedback, alarms)
        ]
    _shrink(store)
    return Deleted(*counts)


def forget_subject(store: Store, subject: str) -> Deleted:
    """Delete all predictions for one user id, the feedback on them, and that user's own; raises `StoreError`.

    SQLite's freed pages are overwritten with zeros (`secure_delete`); PostgreSQL's go with its next vacuum.
    """
    from sqlalchemy import delete, or_, select

    from headway.serving.store.tables import feedback, predictions

    with reaching(store, "cannot forget"), store.engine.begin() as connection:
        hashed = hash_subject(read_setting(connection, "pepper") or "", subject)
        requests = select(predictions.c.request_id).where(predictions.c.subject == hashed)
        # With a sample, or none, the request itself may not have been kept.
        theirs = or_(feedback.c.subject == hashed, feedback.c.request_id.in_(requests))
        answers = _count(connection.execute(delete(feedback).where(theirs)))
        rows = _count(connection.execute(delete(predictions).where(predictions.c.subject == hashed)))
    _shrink(store)
    return Deleted(rows, answers)


def _count(result: Any) -> int:
    return int(cast("Any", result).rowcount)


def _shrink(store: Store) -> None:
    """Take deleted rows out of SQLite's write-ahead log too."""
    if store.is_sqlite:
        with reaching(store, "cannot be cleaned up"), store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
