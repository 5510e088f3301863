import numpy as np
import polars as pl

from headway.data.dataset import Column, Fold
from headway.models.family import Examples
from headway.package.combining import side_by_side
from headway.package.opening import open_graph
from headway.tasks import Classify, Part, Regress, Several
from headway.training.calibration import calibrated
from headway.training.contest import Contest
from headway.training.outcome import Outcome
from headway.training.storage import Store
from tests.runtime.graphs import number_graph, value_graph

TASK = Several((Part("side", Classify(("no", "yes")), "accuracy"), Part("far", Regress(), "r2")))
ROWS = 400


def overconfident():
    """Return a contest of two targets and an outcome whose labels are much surer than they are right."""
    random = np.random.default_rng(0)
    a = random.normal(size=ROWS).astype(np.float32)
    y = np.stack([a + random.logistic(size=ROWS) > 0, 2 * a], axis=1).astype(np.float32)
    y[::4, 0] = np.nan
    graph = side_by_side(
        {"side": number_graph(weights=(9.0, 0.0), name="pair"), "far": value_graph()}, {"side": 2, "far": 1}
    )
    frame = pl.DataFrame({"a": a, "b": np.zeros(ROWS)})
    inputs = (Column("a", "number"), Column("b", "number"))
    everyone = np.arange(ROWS)
    contest = Contest(Examples(frame, inputs, y), everyone, (Fold(everyone[:0], everyone),), TASK, "mean_score")
    answers = open_graph(graph).run({"a": a, "b": np.zeros(ROWS)})
    return contest, Outcome("linear", "ok", graph=graph, answers=answers, metrics={"mean_score": 0.5})


def test_the_labels_of_each_target_are_calibrated_in_answers_and_graph_alike(tmp_path):
    contest, outcome = overconfident()
    found = calibrated(outcome, contest)
    assert set(found.calibrations) == {"probabilities:side"}
    assert found.calibrations["probabilities:side"].temperature > 4
    np.testing.assert_array_equal(found.answers[:, 2], outcome.answers[:, 2])
    rows = contest.examples.rows
    again = open_graph(found.graph).run({name: rows[name] for name in rows.columns})
    np.testing.assert_allclose(again, found.answers, atol=1e-5)
    store = Store(tmp_path)
    store.save(found)
    assert store.load("linear").calibrations == found.calibrations
