"""Small tables that every table family is tried on."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from headway.data.dataset import Column
from headway.models.family import Examples
from headway.tasks import Classify, Regress

INPUTS = (
    Column("age", "number"),
    Column("income", "number"),
    Column("constant", "number"),
    Column("empty", "number"),
    Column("colour", "category"),
    Column("city", "category"),
    Column("since", "date"),
    Column("note", "text"),
)


def make_rows(rows: int, seed: int) -> pl.DataFrame:
    """Numbers with gaps and infinities, few and many categories, dates before 1970 and on a leap day."""
    rng = np.random.default_rng(seed)
    income = np.exp(rng.normal(size=rows) * 2 + 8)
    income[:: max(2, rows // 3)] = np.inf
    days = [
        dt.datetime.fromisoformat("1960-02-29") + dt.timedelta(days=int(d), hours=7)
        for d in rng.integers(0, 20_000, rows)
    ]
    return pl.DataFrame(
        {
            "age": [None if rng.random() < 0.1 else float(a) for a in rng.integers(18, 90, rows)],
            "income": income,
            "constant": np.full(rows, 3.0),
            "empty": [None] * rows,
            "colour": [None if rng.random() < 0.1 else str(rng.choice(["red", "green", "blue"])) for _ in range(rows)],
            "city": [f"city {int(c)}" for c in rng.integers(0, 60, rows)],
            "since": [None if rng.random() < 0.1 else day for day in days],
            "note": [None if rng.random() < 0.2 else str(rng.choice(["很好 good", "bad 差", "so so"])) for _ in days],
        },
        schema_overrides={"empty": pl.Float64, "age": pl.Float64},
    )


def signal(rows: pl.DataFrame) -> np.ndarray:
    """Return what can be learnt: age, colour and the weekday matter."""
    age = rows["age"].fill_null(50.0).to_numpy() / 20
    red = (rows["colour"].fill_null("red") == "red").to_numpy()
    weekend = (rows["since"].dt.weekday().fill_null(1) >= 6).to_numpy()
    return age + 2.0 * red - 1.5 * weekend


@pytest.fixture
def binary():
    rows = make_rows(200, seed=1)
    return Examples(rows, INPUTS, (signal(rows) > 3.0).astype(np.int64)), Classify(("no", "yes"))


@pytest.fixture
def three_classes():
    rows = make_rows(200, seed=2)
    return Examples(rows, INPUTS, np.digitize(signal(rows), [2.5, 4.0]).astype(np.int64)), Classify(("a", "b", "c"))


@pytest.fixture
def regression():
    rows = make_rows(200, seed=3)
    return Examples(rows, INPUTS, (100_000 * signal(rows)).astype(np.float32)), Regress()


@pytest.fixture(params=["binary", "three_classes", "regression"])
def case(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def new_rows():
    """Rows that training never saw: unseen values, everything missing, extremes, year 1 and year 9999."""
    rows = make_rows(50, seed=9)
    odd = pl.DataFrame(
        {
            "age": [None, -1e300, 1e300],
            "income": [None, float("-inf"), float("inf")],
            "constant": [None, 3.0, 1e9],
            "empty": [None, 5.0, -1e30],
            "colour": [None, "ultraviolet", ""],
            "city": [None, "city 1", "Atlantis"],
            "note": [None, "", "\U0001f600" * 3000],
            "since": [None, dt.datetime.fromisoformat("0001-01-01"), dt.datetime.fromisoformat("9999-12-31T23:59")],
        },
        schema_overrides=dict(rows.schema),
    )
    return pl.concat([rows, odd.select(rows.columns)])


@pytest.fixture
def run_graph():
    """Answer rows with an exported graph, the way a package does."""
    import onnxruntime

    from headway.runtime.feeds import encode

    def run(graph, rows):
        session = onnxruntime.InferenceSession(graph.onnx, providers=["CPUExecutionProvider"])
        arrays = {}
        for feed in graph.feeds:
            arrays |= encode(feed, {name: rows[name] for name in feed.columns}, files=graph.files)
        (answer,) = session.run(None, {node.name: arrays[node.name] for node in session.get_inputs()})
        return answer if session.get_outputs()[0].name == "probabilities" else answer[:, 0]

    return run
