"""Alarms of drift and guardrails, kept for whoever looks later."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headway.serving.store.opening import Store, reaching
from headway.serving.store.records import to_json


@dataclass(frozen=True)
class Alarm:
    """Something that somebody should look at: `kind` is "drift" or "guardrail"; `details` are figures for programs."""

    kind: str
    model: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    at: float = field(default_factory=time.time)


def keep_alarm(store: Store, alarm: Alarm) -> None:
    """Write an alarm down; raises `StoreError`."""
    from sqlalchemy import insert

    from headway.serving.store.tables import alarms

    record = {
        "id": uuid.uuid4().hex,
        "at": alarm.at,
        "kind": alarm.kind,
        "model": alarm.model[:200],
        "message": alarm.message,
        "details": to_json(dict(alarm.details)),
    }
    with reaching(store, "takes no alarm now"), store.engine.begin() as connection:
        connection.execute(insert(alarms), record)


def read_alarms(store: Store, *, since: float = 0.0, model: str | None = None) -> list[Alarm]:
    """Return the alarms since a time, the latest first."""
    from sqlalchemy import select

    from headway.serving.store.tables import alarms as a

    query = select(a).where(a.c.at >= since).order_by(a.c.at.desc())
    if model is not None:
        query = query.where(a.c.model == model)
    with reaching(store, "cannot be read"), store.engine.connect() as connection:
        return [
            Alarm(each.kind, each.model, each.message, json.loads(each.details), each.at)
            for each in connection.execute(query)
        ]
