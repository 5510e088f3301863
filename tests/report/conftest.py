import io
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from PIL import Image

from headway.data.dataset import ROW, Column, Finding
from headway.evaluation.calibration import Temperature
from headway.evaluation.decisions import choose_threshold
from headway.evaluation.scores import Slice
from headway.evaluation.scoring import evaluate
from headway.models.family import Curve
from headway.project.schema import Limits
from headway.report.content import Change, ColumnFacts, LabelError, PackageFacts, ReportContent, RowCounts
from headway.tasks import Classify, Regress
from headway.training.outcome import Outcome

ATTACK = "<script>alert('x')</script>"


def draw(rows: int, labels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(labels, size=rows)
    p = rng.dirichlet(np.ones(labels), size=rows) + 0.5 * np.eye(labels)[y]
    return y, p / p.sum(axis=1, keepdims=True)


OUTCOMES = (
    Outcome("baseline", "ok", metrics={"accuracy": 0.55}, fit_seconds=0.01, latency_p50_ms=0.04, size_mb=0.01),
    Outcome(
        "ngram_linear",
        "won",
        metrics={"accuracy": 0.87},
        fit_seconds=8.2,
        latency_p50_ms=0.31,
        latency_p95_ms=0.5,
        size_mb=5.2,
        memory_mb=96.0,
        curves=(Curve("cross-entropy", (0.7, 0.4, 0.3), (0.6, 0.45, 0.44)),),
    ),
    Outcome("lstm", "over_limit", "6 ms is over 5 ms", metrics={"accuracy": 0.88}, fit_seconds=140, latency_p50_ms=6),
    Outcome("encoder", "skipped", "410 s do not fit", estimated_seconds=410.0),
    Outcome("cnn", "skipped", 'needs an extra: pip install "headway[deep]"'),
    Outcome("mlp", "failed", f"the loss became NaN {ATTACK}"),
)


@pytest.fixture(scope="session")
def reviews() -> ReportContent:
    """Return a run on texts with everything in it; an attack stands in a cell, a label and a reason."""
    y, p = draw(400, 2)
    labels = ("差评", f"好评{ATTACK}")
    rows = pl.DataFrame({ROW: range(400), "review": [f"房间不错 {i} {ATTACK}" for i in range(400)]})
    inputs = (Column("review", "text"),)
    scores = evaluate(y, p, Classify(labels), rows=rows, inputs=inputs)
    slices = (
        Slice("review", ">= 402", 60, 0.7, 0.87, "length"),
        Slice("review", "zh", 60, 0.7, 0.87, "language"),
        Slice("city", "Lima", 60, 0.7, 0.87, "value"),
        Slice("price", ">= 10, < 20", 60, 0.7, 0.87, "range"),
        Slice("price", "", 60, 0.7, 0.87, "missing"),
    )
    return ReportContent(
        name="hotel reviews",
        task="classify",
        target="label",
        labels=labels,
        inputs=inputs,
        rows=RowCounts(read=2100, rejected=5, duplicates=80, set_aside=15, used=2000, train=1600, test=400),
        scores=replace(scores, slices=slices),
        winner="ngram_linear",
        metric="accuracy",
        outcomes=OUTCOMES,
        columns=(
            ColumnFacts("review", "text", note="5 - 900 characters"),
            ColumnFacts("label", "category", distinct=2, role="target"),
            ColumnFacts("id", "number", missing=0.1, distinct=2100, role="ignored"),
        ),
        findings=(
            Finding("duplicate", "info", None, "80 rows repeat another one: dropped before the split", {"rows": 80}),
            Finding("some_new_code", "warning", "label", "something new", {}),
        ),
        changes=(Change("duplicate", "the same review occurs before", 80, ({"review": ATTACK},)),),
        label_errors=(LabelError(17, {"review": "差得不得了"}, labels[1], labels[0], 0.97),),
        balance={labels[0]: 1100, labels[1]: 40},
        threshold=choose_threshold(y, p, labels, precision=0.95, label=labels[0]),
        calibration=Temperature(1.4, None, 0.02),
        limits=Limits(latency_p50=5.0),
        package=PackageFacts(
            "runs/hotel/package", 5.2, 0.31, 0.5, 96.0, 31_250.0, {"review": "很好"}, {"prediction": labels[0]}
        ),
        remarks=("one remark",),
        source="reviews.csv",
        created="2026-11-22 09:14",
        seconds=58.3,
        budget_seconds=300.0,
        machine="2 cores",
        libraries={"numpy": "2.4.6"},
    )


@pytest.fixture(scope="session")
def prices() -> ReportContent:
    """Return a run on numbers."""
    rng = np.random.default_rng(0)
    rows = pl.DataFrame({"size": rng.normal(100, 20, 300)})
    y = rows["size"].to_numpy() * 3000.0
    values = y + rng.normal(0, 20_000, 300)
    inputs = (Column("size", "number"),)
    return ReportContent(
        name="prices",
        task="regress",
        target="price",
        labels=(),
        inputs=inputs,
        rows=RowCounts(read=1500, used=1500, train=1200, test=300),
        scores=evaluate(y, values, Regress(), rows=rows, inputs=inputs, widths={0.8: 25_000.0}),
        winner="linear",
        metric="rmse",
        outcomes=(
            Outcome("linear", "won", metrics={"rmse": 20_000.0}, latency_p50_ms=0.05, fit_seconds=0.2),
            Outcome("baseline", "ok", metrics={"rmse": 60_000.0}, latency_p50_ms=0.04, fit_seconds=0.0),
        ),
        values=tuple(y.tolist()),
        pairs=tuple(zip(y.tolist(), values.tolist(), strict=True)),
        folds=5,
    )


@pytest.fixture(scope="session")
def intents() -> ReportContent:
    """Return a run with 77 labels and an ensemble."""
    y, p = draw(800, 77)
    labels = tuple(f"a_rather_long_intent_number_{i}" for i in range(77))
    return ReportContent(
        name="intents",
        task="classify",
        target="intent",
        labels=labels,
        inputs=(Column("text", "text"),),
        rows=RowCounts(read=4000, used=4000, train=3200, test=800),
        scores=evaluate(y, p, Classify(labels)),
        winner="a+b",
        metric="accuracy",
        members={"a": 0.6, "b": 0.4},
        outcomes=(Outcome("a+b", "won", metrics={"accuracy": 0.9}),),
        balance=dict.fromkeys(labels, 52),
    )


@pytest.fixture
def picture() -> bytes:
    """Return a large PNG."""
    kept = io.BytesIO()
    Image.effect_noise((1200, 800), 60).save(kept, "PNG")
    return kept.getvalue()
