"""What a package remembers, and columns of it for new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

from headway.runtime.feeds.cells import BadCellError, Cells, listed
from headway.runtime.history.events import MICROS, NEVER, Events, read_events
from headway.runtime.history.naming import feature_names
from headway.runtime.history.timelines import Timeline, describe_past, describe_time, make_timeline
from headway.runtime.manifest import History


@dataclass(frozen=True)
class Memory:
    """Rows of the past; safe to share between threads."""

    history: History
    target: str
    past: Events

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns that come out."""
        return feature_names(self.history, self.target)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that rows must have."""
        return tuple(dict.fromkeys([self.history.time, *self.history.keys, *self.history.values]))

    @cached_property
    def timelines(self) -> tuple[Timeline, ...]:
        """Return the past in the order of each key column."""
        return self._timelines(self.past)

    def recall(self, columns: Mapping[str, Cells], *, strict: bool = True) -> dict[str, np.ndarray]:
        """Return float32 columns by name that tell of each row's past, as far as it is remembered.

        Rows know nothing of each other: what a row gets does not hang on those beside it. Raises `InputError` as
        `read_events` does, and where `strict` for a row from before the time that is remembered, which gets nothing
        (NaN) otherwise.
        """
        asked = self._asked(columns, strict=strict)
        return self.describe(asked, self.timelines)

    def follow(self, columns: Mapping[str, Cells], *, strict: bool = True) -> dict[str, np.ndarray]:
        """Return the same for the rows of one file, which are also each other's past, in the order of their times.

        Rows up to the newest remembered one are remembered already and add nothing. Where the target is among the
        columns and filled, it counts once `delay` has passed.
        """
        asked = self._asked(columns, strict=strict)
        target = self.target if self.target in columns else None
        rows = asked if target is None else read_events(self.history, columns, target=target, strict=False)
        until = self.history.until
        later = rows.take(asked.times != NEVER if until is None else asked.times > round(until * MICROS))
        return self.describe(asked, self._timelines(self.past.joined(later)) if len(later) else self.timelines)

    def describe(self, asked: Events, timelines: tuple[Timeline, ...]) -> dict[str, np.ndarray]:
        """Return the columns of rows as events."""
        parts = [describe_time(asked)]
        parts += [describe_past(each, self.history, asked, place) for place, each in enumerate(timelines)]
        return dict(zip(self.names, np.concatenate(parts, axis=1).T, strict=True))

    def _timelines(self, events: Events) -> tuple[Timeline, ...]:
        return tuple(make_timeline(events, place, self.history.scales) for place in range(len(self.history.keys)))

    def _asked(self, columns: Mapping[str, Cells], *, strict: bool) -> Events:
        """Return the rows as events; those of a forgotten time have none."""
        events = read_events(self.history, columns, strict=strict)
        if self.history.since is None:
            return events
        forgotten = (events.times < round(self.history.since * MICROS)) & (events.times != NEVER)
        if not forgotten.any():
            return events
        if strict:
            row = int(forgotten.argmax())
            reaches = datetime.fromtimestamp(self.history.since, UTC).strftime("%Y-%m-%d %H:%M:%S")
            expected = f"a time from {reaches} on: the package remembers nothing that counts before"
            raise BadCellError(row, self.history.time, expected=expected, got=listed(columns[self.history.time])[row])
        return Events(np.where(forgotten, NEVER, events.times), events.keys, events.values, events.outcomes)
