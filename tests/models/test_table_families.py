"""What every family that reads tables must do, on numbers, categories and dates with all their oddities."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.models.family import Examples, discover
from headway.models.linear import choosing, fitting
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

FAMILIES = ("baseline", "linear", "trees", "forest", "mlp")


# Most promises do not depend on how long training takes.
QUICK = Recipe(epochs=12)
ONLY_TEXT = frozenset({"text"})


def fit(name, examples, task, *, settings=None, recipe=None, seed=0, clock=None):
    family = discover().load(name)
    return family.fit(examples, None, task, recipe or QUICK, settings=settings, seed=seed, clock=clock or Clock())


def scale_of(examples, task):
    return 1.0 if task.kind == "classify" else float(np.std(examples.y)) or 1.0


@pytest.mark.parametrize("name", FAMILIES)
def test_the_graph_answers_like_the_trained_model_on_odd_rows(name, case, new_rows, run_graph):
    examples, task = case
    fitted = fit(name, examples, task)
    trained, exported = fitted.predict(new_rows), run_graph(fitted.graph(), new_rows)
    assert trained.dtype == np.float32
    assert np.isfinite(trained).all()
    assert trained.shape == ((len(new_rows), task.width) if task.kind == "classify" else (len(new_rows),))
    assert np.abs(trained - exported).max() < 1e-4 * scale_of(examples, task)


@pytest.mark.parametrize("name", FAMILIES)
def test_one_row_is_answered_as_in_company(name, case, new_rows, run_graph):
    examples, task = case
    fitted = fit(name, examples, task)
    graph = fitted.graph()
    company = run_graph(graph, new_rows)
    np.testing.assert_allclose(run_graph(graph, new_rows[3:4]), company[3:4], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "baseline"])
def test_it_learns_what_there_is_to_learn(name, case):
    examples, task = case
    half = len(examples) // 2
    train, test = examples.take(np.arange(half)), examples.take(np.arange(half, len(examples)))
    answers = fit(name, train, task, recipe=Recipe()).predict(test.rows)
    if task.kind == "classify":
        assert (answers.argmax(axis=1) == test.y).mean() > np.bincount(test.y).max() / len(test.y) + 0.05
    else:
        assert np.mean((answers - test.y) ** 2) < 0.6 * np.var(test.y)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_seed_gives_the_same_model_and_settings_replay_it(name, binary, new_rows):
    examples, task = binary
    first, second = fit(name, examples, task, seed=4), fit(name, examples, task, seed=4)
    replayed = fit(name, examples, task, settings=first.settings, seed=4)
    np.testing.assert_array_equal(first.predict(new_rows), second.predict(new_rows))
    np.testing.assert_allclose(first.predict(new_rows), replayed.predict(new_rows), atol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_class_that_training_never_saw_is_answered_with_next_to_nothing(name, three_classes, new_rows):
    examples, task = three_classes
    seen = examples.take(np.flatnonzero(examples.y != 1))
    answers = fit(name, seen, task).predict(new_rows)
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, atol=1e-5)
    assert answers[:, 1].max() < 0.2


# A network that has not made a step has nothing to give; it raises TrainingError.
@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "mlp"])
def test_an_expired_clock_still_gives_an_answer(name, case, new_rows):
    examples, task = case
    assert np.isfinite(fit(name, examples, task, clock=Clock.after(0)).predict(new_rows)).all()


@pytest.mark.parametrize("name", ["linear", "trees", "forest", "mlp"])
def test_class_weights_move_answers_towards_the_heavier_class(name, binary, new_rows):
    examples, task = binary
    plain = fit(name, examples, task, recipe=QUICK).predict(new_rows)[:, 1].mean()
    heavy = (
        fit(name, examples, task, recipe=Recipe(class_weights={"yes": 20.0}, epochs=12)).predict(new_rows)[:, 1].mean()
    )
    assert heavy > plain + 0.03


@pytest.mark.parametrize("name", FAMILIES)
def test_four_rows_are_enough(name, binary, new_rows):
    examples, task = binary
    few = np.concatenate([np.flatnonzero(examples.y == 0)[:2], np.flatnonzero(examples.y == 1)[:2]])
    assert np.isfinite(fit(name, examples.take(few), task).predict(new_rows)).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_estimate_is_positive_and_quick(name, case):
    examples, task = case
    cost = discover().load(name).estimate(examples, task, Recipe(), seed=0)
    assert 0 < cost.seconds < 60
    assert cost.memory_mb > 0


@pytest.mark.parametrize("name", ["baseline", "linear", "trees"])
@pytest.mark.parametrize("loss", ["mae", "huber"])
def test_robust_losses_are_not_drawn_by_outliers(name, loss, regression, new_rows):
    examples, task = regression
    y = examples.y.copy()
    y[::10] = 1e9
    wild = replace(examples, y=y)
    mean = fit(name, wild, task, recipe=Recipe(loss="mse", epochs=40)).predict(new_rows)
    robust = fit(name, wild, task, recipe=Recipe(loss=loss, huber_delta=0.01, epochs=40)).predict(new_rows)
    assert np.median(robust) < 0.5 * np.median(mean)


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "baseline"])
def test_texts_beside_numbers_are_read_and_texts_alone_are_left_to_others(name):
    card = discover().cards[name]
    assert not card.takes_part(ONLY_TEXT)
    assert card.takes_part(ONLY_TEXT | {"number"})
    rows = pl.DataFrame({"x": np.zeros(200), "note": ["great view" if i % 2 else "cold soup" for i in range(200)]})
    examples = Examples(rows, (Column("x", "number"), Column("note", "text")), np.arange(200) % 2)
    answers = fit(name, examples, Classify(("bad", "good"))).predict(rows)
    assert (answers.argmax(axis=1) == examples.y).mean() > 0.95


@pytest.mark.parametrize(("rows", "share"), [(60, 1.0), (120, 0.15)])
def test_a_line_leaves_most_of_the_time_to_trees_where_rows_are_many(monkeypatch, rows, share):
    given = []

    def search(ground, _, clock):
        given.append(clock.left())
        return ground, choosing.Choice("plain", 0.01)

    monkeypatch.setattr(fitting, "SMALL", 100)
    monkeypatch.setattr(fitting, "search", search)
    numbers = pl.DataFrame({"a": np.linspace(-1, 1, rows)})
    examples = Examples(numbers, (Column("a", "number"),), (numbers["a"].to_numpy() > 0).astype(np.int64))
    fit("linear", examples, Classify(("no", "yes")), clock=Clock.after(100.0))
    assert given == [pytest.approx(100 * share, abs=1)]
