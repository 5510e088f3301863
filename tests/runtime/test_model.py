import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headway.errors import InputError, PackageError
from headway.package.combining import side_by_side
from headway.runtime import load
from headway.runtime.manifest import InputColumn, Manifest, Target
from headway.runtime.model import Model, assemble
from tests.runtime.graphs import number_graph, text_graph, value_graph
from tests.runtime.test_archive import folder, members

# What production must never import: all that trains, and what exports.
FORBIDDEN = ("torch", "sklearn", "polars", "onnx", "spox", "pandas", "scipy", "transformers", "lightgbm", "pydantic")


def model(graph, labels=("no", "yes"), **changes):
    task = "classify" if labels else "regress"
    inputs = tuple(InputColumn(name, "number") for feed in graph.feeds for name in feed.columns)
    manifest = replace(Manifest("m", task, "y", inputs, graph.feeds, labels), **changes)
    return assemble(manifest, {"model.onnx": graph.onnx, **graph.files})


def test_rows_are_answered_with_label_confidence_and_probabilities():
    answers = model(number_graph()).predict([{"a": "2", "b": 0, "unused": object()}, {"a": None}])
    assert [answer.prediction for answer in answers] == ["yes", "no"]
    assert answers[0].confidence == pytest.approx(1 / (1 + np.exp(-2)))
    assert list(answers[0].probabilities) == ["no", "yes"]
    assert answers[1].probabilities == {"no": 0.5, "yes": 0.5}


def test_columns_are_answered_with_arrays():
    answers = model(number_graph(), labels=(False, True)).predict_columns({"a": pl.Series([2.0, -2.0]), "b": [0, 0]})
    assert answers.predictions.tolist() == [True, False]
    assert answers.probabilities.shape == (2, 2)
    np.testing.assert_allclose(answers.confidence, answers.probabilities.max(axis=1))
    assert answers.values is None


def test_values_are_answered_alone():
    regression = model(value_graph(), labels=())
    assert [(answer.prediction, answer.confidence) for answer in regression.predict([{"a": 1.5}])] == [(3.0, None)]
    assert regression.predict_columns({"a": [1, 2]}).values.tolist() == [2, 4]


def test_no_rows_give_no_answers():
    assert model(number_graph()).predict([]) == []
    assert model(text_graph(), labels=tuple("abc")).predict_columns({"review": []}).probabilities.shape == (0, 3)
    assert model(value_graph(), labels=()).predict_columns({"a": []}).values.shape == (0,)


def test_threshold_and_confidence_go_together():
    answer = model(number_graph(), threshold=("yes", 0.9)).predict([{"a": 1, "b": 0}])[0]
    assert answer.prediction == "no"
    assert answer.confidence == answer.probabilities["no"] < 0.5


def test_a_column_in_no_row_is_named_with_its_nearest():
    with pytest.raises(InputError, match="did you mean 'reveiw'"):
        model(text_graph(), labels=tuple("abc")).predict([{"reveiw": "x"}, {}])
    with pytest.raises(InputError, match="row 2"):
        model(number_graph()).predict([{"a": 1, "b": 2}, [1, 2]])


def test_a_graph_that_does_not_fit_its_manifest_is_refused():
    with pytest.raises(PackageError, match="labels"):
        model(number_graph(), labels=("a", "b", "c")).predict([{"a": 1, "b": 2}])
    with pytest.raises(PackageError, match="does not fit the task"):
        model(value_graph(), labels=("a",))


def test_threads_must_be_positive(tmp_path):
    with pytest.raises(InputError, match="threads"):
        load(tmp_path, threads=0)


def test_one_model_serves_many_threads():
    shared: Model = model(text_graph(), labels=tuple("abc"))
    texts = [{"review": "x" * length} for length in range(200)]
    expected = [answer.prediction for answer in shared.predict(texts)]
    results = []
    workers = [threading.Thread(target=lambda: results.append(shared.predict(texts))) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [[answer.prediction for answer in answers] for answers in results] == [expected] * 8


def test_production_imports_nothing_that_trains(tmp_path):
    package = folder(tmp_path / "p", members())
    code = (
        "import sys, headway.runtime\n"
        f"model = headway.runtime.load({str(package)!r})\n"
        "print(model.predict([{'a': 1, 'b': 0}])[0].prediction)\n"
        f"print([name for name in {FORBIDDEN} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["yes", "[]"]


SIDE, FAR = Target("side", "classify", ("no", "yes"), "accuracy"), Target("far", "regress", (), "r2")


def model_of_several(**changes):
    graph = side_by_side({"side": number_graph(name="pair"), "far": value_graph()}, {"side": 2, "far": 1})
    return model(graph, (), **{"task": "several", "targets": (SIDE, FAR), **changes})


def test_every_target_is_answered_under_its_name():
    (answer,) = model_of_several().predict([{"a": 3, "b": 1}])
    assert answer.prediction == {"side": "yes", "far": 6.0}
    assert answer.targets["side"].probabilities["yes"] == pytest.approx(1 / (1 + np.exp(-2)))
    assert answer.targets["far"].confidence is None


def test_columns_are_answered_target_by_target():
    answers = model_of_several().predict_columns({"a": [3, -3, 0], "b": [1, 1, None]})
    assert answers.predictions.tolist() == [["yes", 6.0], ["no", -6.0], ["no", 0.0]]
    assert answers.targets["far"].values.tolist() == [6, -6, 0]
    assert model_of_several().predict_columns({"a": [], "b": []}).predictions.shape == (0, 2)


def test_a_graph_that_answers_other_targets_is_refused():
    with pytest.raises(PackageError, match="does not fit the task"):
        model_of_several(targets=(FAR, SIDE))
    with pytest.raises(PackageError, match="the manifest's labels"):
        model_of_several(targets=(Target("side", "classify", ("a", "b", "c")), FAR)).predict([{"a": 1, "b": 1}])
