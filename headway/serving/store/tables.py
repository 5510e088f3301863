"""The tables of the store; the same in SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

FORMAT_VERSION = 3

metadata = MetaData()

# One row for each answered row of a request. `inputs`, `prediction` and `probabilities` are JSON, masked;
# `subject` is a keyed hash of the user's id; times are seconds since 1970 UTC. `share`: of how many requests one was
# kept when this one was (empty: format 1).
predictions = Table(
    "headway_predictions",
    metadata,
    Column("request_id", String(200), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("version", String(200), primary_key=True),
    Column("shadow", Boolean, primary_key=True),
    Column("at", Float(53), nullable=False),
    Column("model", String(200), nullable=False),
    Column("subject", String(64)),
    Column("experiment", String(200), nullable=False),
    Column("arm", String(200), nullable=False),
    Column("inputs", Text),
    Column("prediction", Text),
    Column("confidence", Float(53)),
    Column("probabilities", Text),
    Column("latency_ms", Float(53), nullable=False),
    Column("error", String(200), nullable=False),
    Column("share", Float(53)),
    Index("headway_predictions_model_at", "model", "at"),
    Index("headway_predictions_experiment", "experiment", "at"),
    Index("headway_predictions_subject", "subject"),
    Index("headway_predictions_at", "at"),
)

# What came back for one row of a request: `truth`, a label or a number (JSON, null where nothing is said of it), and
# `value`, what the answer was worth. The latest word on each counts. `subject`: who said it, or of whom it is.
feedback = Table(
    "headway_feedback",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("request_id", String(200), nullable=False),
    Column("row", Integer, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("truth", Text, nullable=False),
    Column("note", Text),
    Column("value", Float(53)),
    Column("subject", String(64)),
    Index("headway_feedback_request", "request_id", "row"),
    Index("headway_feedback_at", "at"),
    Index("headway_feedback_subject", "subject"),
)

# Experiments as JSON; what the servers follow.
experiments = Table(
    "headway_experiments",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("started", Float(53), nullable=False),
    Column("stopped", Float(53)),
    Column("plan", Text, nullable=False),
)

# Arms that were ended, one row each, so that servers cannot overwrite each other.
ended_arms = Table(
    "headway_ended_arms",
    metadata,
    Column("experiment", String(200), primary_key=True),
    Column("arm", String(200), primary_key=True),
    Column("at", Float(53), nullable=False),
    Column("reason", Text, nullable=False),
)

# What the servers that use this store answer with, by the name that it is served under; `at`: when one last said so.
# `reads`, the columns it wants, and `labels`, what it may answer, are lists in JSON (empty: format 2).
serving = Table(
    "headway_serving",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("version", String(200), nullable=False),
    Column("task", String(40), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("reads", Text),
    Column("labels", Text),
)

# Drift, guardrails and other alarms, for whoever looks later.
alarms = Table(
    "headway_alarms",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", Float(53), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("model", String(200), nullable=False),
    Column("message", Text, nullable=False),
    Column("details", Text, nullable=False),
    Index("headway_alarms_at", "at"),
)

# `format` and `pepper`, the key of the subjects' hashes.
settings = Table(
    "headway_settings",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
