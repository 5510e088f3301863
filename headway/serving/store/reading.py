"""What the store knows: traffic over time, how right the answers were, what came of an experiment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from headway.serving.store.opening import Store, reaching

if TYPE_CHECKING:
    from sqlalchemy import Select

_CHUNK = 5_000


@dataclass(frozen=True)
class Traffic:
    """What one slice of time saw: answered requests' rows, failures (status 5xx), and latency in milliseconds.

    Where a share of the requests is kept, the counts are estimates of all of them.
    """

    at: float
    rows: float
    failures: float
    latency_ms: float


@dataclass(frozen=True)
class Answered:
    """One stored row with its feedback, as far as there is any: `truth`, the right answer, and `value`, its worth.

    `right` compares labels, `error` numbers.
    """

    request_id: str
    row: int
    at: float
    version: str
    subject: str | None
    arm: str
    shadow: bool
    inputs: Mapping[str, Any]
    prediction: Any
    truth: Any
    told: float | None
    value: float | None = None

    @property
    def right(self) -> bool:
        """Tell whether the answer and the truth are the same label, as people write it: 1, "1" and 1.0 are."""
        return spelt(self.prediction) == spelt(self.truth)

    @property
    def error(self) -> float | None:
        """Return how far the answer was off; None where the answer or the truth is no number."""
        pair = (self.prediction, self.truth)
        if any(isinstance(each, bool) or not isinstance(each, int | float) for each in pair):
            return None
        return abs(float(self.prediction) - float(self.truth))


@dataclass(frozen=True)
class Said:
    """What a package answered for one row: the name it is served under, its version, and the answer."""

    model: str
    version: str
    prediction: Any


@dataclass(frozen=True)
class Stored:
    """How much the store holds, and from when to when."""

    predictions: int
    feedback: int
    subjects: int
    oldest: float | None
    newest: float | None


def read_traffic(store: Store, model: str, *, since: float, until: float, step: float) -> list[Traffic]:
    """Return the traffic of a model in slices of `step` seconds; empty slices are left out. Shadows do not count."""
    from sqlalchemy import case, cast, func, select
    from sqlalchemy.types import Integer

    from headway.serving.store.tables import predictions as p

    place = cast(func.floor((p.c.at - since) / step), Integer)
    requests = 1.0 / func.coalesce(p.c.share, 1.0)
    failed = p.c.error.like("5%")
    query = (
        select(
            place.label("place"),
            func.sum(case((p.c.error == "", requests), else_=0.0)),
            func.sum(case((failed, requests), else_=0.0)),
            func.avg(p.c.latency_ms),
        )
        .where(p.c.model == model, p.c.at >= since, p.c.at < until, p.c.shadow.is_(False))
        .group_by("place")
        .order_by("place")
    )
    with reaching(store, "cannot be read"), store.engine.connect() as connection:
        return [
            Traffic(since + step * number, float(rows), float(failures), float(latency))
            for number, rows, failures, latency in connection.execute(query)
        ]


def read_models(store: Store) -> list[str]:
    """Return the names under which answers were given, in order."""
    from sqlalchemy import select

    from headway.serving.store.tables import predictions as p

    with reaching(store, "cannot be read"), store.engine.connect() as connection:
        return list(connection.execute(select(p.c.model).distinct().order_by(p.c.model)).scalars())


def read_stored(store: Store) -> Stored:
    """Return how much there is."""
    from sqlalchemy import func, select

    from headway.serving.store.tables import feedback, predictions

    at, subject = predictions.c.at, predictions.c.subject
    with reaching(store, "cannot be read"), store.engine.connect() as connection:
        query = select(func.count(), func.count(subject.distinct()), func.min(at), func.max(at))
        rows, subjects, oldest, newest = connection.execute(query.select_from(predictions)).one()
        answers = connection.execute(select(func.count()).select_from(feedback)).scalar_one()
    return Stored(int(rows), int(answers), int(subjects), oldest, newest)


def read_answered(
    store: Store,
    *,
    model: str | None = None,
    experiment: str | None = None,
    since: float = 0.0,
    until: float = 1e18,
    with_feedback: bool = False,
    with_inputs: bool = True,
) -> Iterator[Answered]:
    """Yield stored rows in the order of time with their latest feedback; memory stays constant.

    `with_feedback` leaves out rows that nobody said anything about; without `with_inputs` the inputs are not read.
    Failed requests are left out.
    """
    query = _answered(model=model, experiment=experiment, since=since, until=until, with_feedback=with_feedback)
    query = query.add_columns(_inputs(with_inputs))
    with reaching(store, "cannot be read"), store.engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True, yield_per=_CHUNK).execute(query)
        for _, said in groupby(streamed, key=lambda each: (each.request_id, each.row, each.version, each.shadow)):
            yield _answered_row(list(said))


def _answered_row(words: Sequence[Any]) -> Answered:
    """Return a row with the latest word on its truth and on its value, which may have come apart."""
    last = words[0]
    truths = (truth for each in words if (truth := _load(each.truth)) is not None)
    return Answered(
        last.request_id,
        last.row,
        last.at,
        last.version,
        last.subject,
        last.arm,
        bool(last.shadow),
        _load(last.inputs) or {},
        _load(last.prediction),
        next(truths, None),
        last.told,
        next((each.value for each in words if each.value is not None), None),
    )


def find_said(store: Store, request_id: str, row: int) -> Said | None:
    """Return what a client was answered for one row, None where it is not kept; raises `StoreError`."""
    from sqlalchemy import select

    from headway.serving.store.tables import predictions as p

    query = select(p.c.model, p.c.version, p.c.prediction).where(
        p.c.request_id == request_id, p.c.row == row, p.c.shadow.is_(False), p.c.error == ""
    )
    with reaching(store, "cannot be read"), store.engine.connect() as connection:
        found = connection.execute(query).first()
    return None if found is None else Said(found.model, found.version, _load(found.prediction))


def _answered(
    *, model: str | None, experiment: str | None, since: float, until: float, with_feedback: bool
) -> Select[Any]:
    from sqlalchemy import and_, select

    from headway.serving.store.tables import feedback as f
    from headway.serving.store.tables import predictions as p

    joined = p.join(f, and_(f.c.request_id == p.c.request_id, f.c.row == p.c.row), isouter=not with_feedback)
    query = (
        select(
            *(p.c[name] for name in ("request_id", "row", "at", "version", "subject", "arm", "shadow")),
            p.c.prediction,
            f.c.truth,
            f.c.value,
            f.c.at.label("told"),
        )
        .select_from(joined)
        .where(p.c.at >= since, p.c.at < until, p.c.error == "")
        .order_by(p.c.at, p.c.request_id, p.c.row, p.c.version, p.c.shadow, f.c.at.desc())
    )
    if model is not None:
        query = query.where(p.c.model == model)
    if experiment is not None:
        query = query.where(p.c.experiment == experiment)
    return query


def _inputs(wanted: bool) -> Any:
    from sqlalchemy import literal

    from headway.serving.store.tables import predictions

    return predictions.c.inputs if wanted else literal(None).label("inputs")


def _load(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def spelt(label: Any) -> str:
    """Return a label as text: a truth that a client sends as 1, 1.0 or "1" is the same label."""
    if isinstance(label, bool):
        return str(label).lower()
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    text = str(label).strip()
    return text.lower() if text.lower() in {"true", "false"} else text
