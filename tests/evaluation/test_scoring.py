import numpy as np
import polars as pl
import pytest
from sklearn import metrics as reference

from headway.data.dataset import ROW, Column
from headway.errors import HeadwayError
from headway.evaluation import scoring
from headway.evaluation.scoring import evaluate
from headway.tasks import Classify, Regress

THREE = Classify(("bad", "fair", "good"))
TWO = Classify(("no", "yes"))


def draw(rows: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(labels, size=rows)
    p = rng.dirichlet(np.ones(labels), size=rows) + 0.4 * np.eye(labels)[y]
    return y, (p / p.sum(axis=1, keepdims=True)).astype(np.float32)


def test_labels_get_figures_intervals_confusion_and_classes():
    y, p = draw(400, 3)
    scores = evaluate(y, p, THREE)
    decided = p.argmax(1)
    assert scores.rows == 400
    assert (scores.confusion == reference.confusion_matrix(y, decided)).all()
    report = reference.classification_report(y, decided, target_names=THREE.labels, output_dict=True)
    for label in THREE.labels:
        expected = {name.replace("f1-score", "f1"): value for name, value in report[label].items()}
        assert scores.per_class[label] == pytest.approx(expected)
    for name, (low, high) in scores.intervals.items():
        assert low < scores.metrics[name] < high
    assert {"accuracy", "f1_macro", "log_loss"} <= set(scores.intervals)
    assert sum(rows for _, _, rows in scores.calibration) == 400


def test_two_labels_get_intervals_of_the_curves():
    y, p = draw(300, 2)
    assert {"roc_auc", "average_precision"} <= set(evaluate(y, p, TWO).intervals)


def test_many_labels_get_intervals_of_the_curves_while_they_cost_little(monkeypatch):
    task = Classify(("a", "b", "c"))
    y, p = draw(200, 3)
    scores = evaluate(y, p, task)
    for name in ("roc_auc", "average_precision"):
        low, high = scores.intervals[name]
        assert low < scores.metrics[name] < high
    monkeypatch.setattr(scoring, "CURVE_CELLS", 5_000)
    assert "roc_auc" not in evaluate(y, p, task).intervals


def test_the_surest_mistakes_come_first_with_their_rows():
    y = np.array([0, 1, 0, 1])
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.01, 0.99], [0.1, 0.9]])
    rows = pl.DataFrame({ROW: [10, 11, 12, 13], "text": ["a", "b", "c", "d"], "other": [1, 2, 3, 4]})
    mistakes = evaluate(y, p, TWO, rows=rows, inputs=(Column("text", "text"),)).mistakes
    assert [(m.position, m.actual, m.predicted, m.confidence) for m in mistakes] == [
        (2, "no", "yes", 0.99),
        (1, "yes", "no", 0.8),
    ]
    assert mistakes[0].cells == {ROW: 12, "text": "c"}


def test_a_threshold_and_costs_decide_the_answers():
    y = np.array([0, 1, 1])
    p = np.array([[0.6, 0.4], [0.55, 0.45], [0.2, 0.8]])
    assert evaluate(y, p, TWO).metrics["accuracy"] == pytest.approx(2 / 3)
    assert evaluate(y, p, TWO, threshold=(1, 0.42)).metrics["accuracy"] == 1
    scores = evaluate(y, p, TWO, costs=((0, 1), (5, 0)))
    assert scores.metrics["mean_cost"] == pytest.approx(1 / 3)
    assert "mean_cost" in scores.intervals


def test_one_class_leaves_out_what_is_undefined():
    p = np.array([[0.9, 0.1], [0.4, 0.6]])
    metrics = evaluate(np.array([0, 0]), p, TWO, positive=1).metrics
    assert "roc_auc" not in metrics
    assert "average_precision" not in metrics
    assert metrics["accuracy"] == 0.5


def test_values_get_figures_coverage_and_the_largest_errors():
    y = np.arange(100, dtype=np.float32)
    values = y + np.tile([0, 1, 0, 4], 25)
    scores = evaluate(y, values[:, None], Regress(), widths={0.8: 1.0})
    assert scores.metrics["coverage_80"] == 0.75
    assert scores.metrics["width_80"] == 1
    assert scores.metrics["median_absolute_error"] == 0.5
    assert set(scores.intervals) == {"rmse", "mae", "r2", "coverage_80"}
    assert scores.mistakes[0].confidence is None
    assert abs(scores.mistakes[0].actual - scores.mistakes[0].predicted) == 4
    assert scores.confusion is None


def test_figures_alone_and_the_same_seed():
    y, p = draw(100, 3)
    plain = evaluate(y, p, THREE, detail=False)
    assert plain.intervals == {}
    assert plain.metrics == evaluate(y, p, THREE).metrics
    assert evaluate(y, p, THREE, seed=5).intervals == evaluate(y, p, THREE, seed=5).intervals


@pytest.mark.parametrize(
    ("y", "answers", "words"),
    [
        (np.array([], dtype=int), np.empty((0, 2)), "nothing to evaluate"),
        (np.array([0, 1]), np.full((2, 3), 1 / 3), "do not fit"),
        (np.array([0, 1]), np.array([[np.nan, 1], [0.5, 0.5]]), r"not finite[\s\S]*1 rows"),
    ],
)
def test_answers_that_do_not_fit_are_named(y, answers, words):
    with pytest.raises(HeadwayError, match=words):
        evaluate(y, answers, TWO)
