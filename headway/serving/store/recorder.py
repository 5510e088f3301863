"""Keep served requests: off, a sample, or all; what the database cannot take now is tried again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from headway.errors import StoreError
from headway.serving.experiments.routing import place
from headway.serving.learning import Noted, NotNowError
from headway.serving.observing import Feedback
from headway.serving.store.opening import Store, prepare, read_setting
from headway.serving.store.records import Record, feedback_record, prediction_records

_log = logging.getLogger("headway.serving")


@dataclass(frozen=True)
class Keeping:
    """How much is kept: a share of the requests from 0 (off) to 1 (all), and whether personal data are masked.

    A sampled request is kept with all its rows and shadows. `mask` is meant to stay on.
    """

    share: float = 1.0
    mask: bool = True

    def keeps(self, request_id: str) -> bool:
        """Tell whether a request belongs to the sample; the same in every process."""
        return self.share >= 1 or (self.share > 0 and place(f"keep\0{request_id}") < self.share)


def read_keeping(wish: str) -> Keeping:
    """Return what `off`, `all`, `10%` or `0.1` asks for; raises `StoreError` for anything else."""
    known = {"off": 0.0, "all": 1.0}
    if wish in known:
        return Keeping(known[wish])
    try:
        share = float(wish.rstrip("%")) / (100 if wish.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise StoreError("this is not how much to keep", expected="off, all, or a share such as 10%", got=wish)
    return Keeping(share)


class Recorder:
    """The consumer that writes into the store; make a `Lane` of it.

    Raises `NotNowError` inside its lane while the database is away or the disk is full; the lane waits and counts
    what overflows. `refused` counts single records that the database will never take.
    """

    def __init__(self, store: Store, keeping: Keeping = Keeping()) -> None:
        """Write into `store` what `keeping` says."""
        self.refused = 0
        self._store = store
        self._keeping = keeping
        self._pepper: str | None = None

    def __call__(self, batch: Sequence[Noted]) -> None:
        """Write a batch of events in one transaction; feedback is always kept, whatever the sample."""
        from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

        kept = [
            noted for noted in batch if isinstance(noted.event, Feedback) or self._keeping.keeps(noted.event.request_id)
        ]
        if not kept:
            return
        try:
            predictions, answers = self._records(kept)
            try:
                _insert(self._store, predictions, answers)
            except (DataError, IntegrityError):
                self._insert_singly(predictions, answers)
        except SQLAlchemyError as error:
            self._pepper = None  # the database may come back as another one: look again
            cause = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
            raise NotNowError(f"{self._store.name} takes no predictions now ({cause[0]})") from error

    def _records(self, kept: Sequence[Noted]) -> tuple[list[Record], list[Record]]:
        """Return the rows for the two tables."""
        pepper, masked, share = self._prepare(), self._keeping.mask, self._keeping.share
        predictions = [
            record for noted in kept for record in prediction_records(noted, pepper=pepper, masked=masked, share=share)
        ]
        answers = [
            feedback_record(noted, noted.event, pepper=pepper, masked=masked)
            for noted in kept
            if isinstance(noted.event, Feedback)
        ]
        return predictions, answers

    def _prepare(self) -> str:
        """Make the tables on first use and return the key of the subjects' hashes."""
        if self._pepper is None:
            prepare(self._store)
            with self._store.engine.connect() as connection:
                self._pepper = read_setting(connection, "pepper")
        if self._pepper is None:
            raise StoreError("the store has lost its settings", where=self._store.name)
        return self._pepper

    def _insert_singly(self, predictions: Sequence[Record], answers: Sequence[Record]) -> None:
        """Write one by one after a batch was refused, so that one bad record costs no other."""
        from sqlalchemy.exc import DataError, IntegrityError

        singles: list[tuple[list[Record], list[Record]]] = [([record], []) for record in predictions]
        for prediction, answer in singles + [([], [record]) for record in answers]:
            try:
                _insert(self._store, prediction, answer)
            except (DataError, IntegrityError) as error:
                self.refused += 1
                # Its words could quote the record.
                _log.error("the store refused a record (%s)", type(error.orig).__name__)


def _insert(store: Store, records: Sequence[Record], answers: Sequence[Record]) -> None:
    """Insert records; one that is there already (a batch that was written though its answer was lost) stays."""
    from sqlalchemy.dialects import postgresql, sqlite

    from headway.serving.store.tables import feedback, predictions

    insert = sqlite.insert if store.is_sqlite else postgresql.insert
    with store.engine.begin() as connection:
        for table, rows in ((predictions, records), (feedback, answers)):
            if rows:
                connection.execute(insert(table).on_conflict_do_nothing(), list(rows))
