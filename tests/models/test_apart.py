import numpy as np
import polars as pl

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.models.apart import Apart, examples_of_part, recipe_of
from headway.models.family import Examples, discover
from headway.package.opening import open_graph
from headway.tasks import Classify, Part, Regress, Several
from headway.tasks.recipe import Recipe

TASK = Several((Part("side", Classify(("left", "right")), "accuracy"), Part("far", Regress(), "r2")))


def examples(rows=120, seed=0):
    """A number whose sign is one target and whose size is the other; each is missing in some rows."""
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    y = np.stack([x > 0, 10 * x], axis=1).astype(np.float32)
    y[::3, 0], y[1::3, 1] = np.nan, np.nan
    return Examples(pl.DataFrame({"x": x}), (Column("x", "number"),), y)


def test_each_target_learns_from_the_rows_that_have_it():
    part = examples_of_part(examples(), TASK, 0)
    assert len(part) == 80
    assert part.y.dtype == np.int64


def test_a_model_for_each_target_answers_as_one_graph():
    train, valid = examples(), examples(60, seed=1)
    family = discover().load_for("linear", TASK)
    assert isinstance(family, Apart)
    fitted = family.fit(train, valid, TASK, Recipe(), settings=None, seed=0, clock=Clock())
    answers = fitted.predict(valid.rows)
    assert answers.shape == (60, 3)
    known, sides = TASK.known(valid.y, 0)
    assert (answers[known, :2].argmax(1) == sides).mean() > 0.9
    opened = open_graph(fitted.graph())
    assert opened.outputs == ("probabilities:side", "values:far")
    np.testing.assert_allclose(opened.run({"x": valid.rows["x"]}), answers, atol=1e-3)


def test_settings_are_replayed_target_by_target():
    train = examples()
    family = discover().load_for("linear", TASK)
    first = family.fit(train, examples(60, seed=1), TASK, Recipe(), settings=None, seed=0, clock=Clock())
    assert {name.partition(".")[0] for name in first.settings} == {"side", "far"}
    again = family.fit(train, None, TASK, Recipe(), settings=first.settings, seed=0, clock=Clock())
    assert dict(again.settings) == dict(first.settings)


def test_a_setting_goes_to_the_targets_that_have_a_use_for_it():
    recipe = Recipe(loss="huber", class_weights="balanced", dropout=0.1)
    assert recipe_of(recipe, Regress()) == Recipe(loss="huber", dropout=0.1)
    assert recipe_of(recipe, Classify(("a", "b"))) == Recipe(class_weights="balanced", dropout=0.1)


def test_one_target_is_left_to_the_family_itself():
    assert not isinstance(discover().load_for("linear", Regress()), Apart)
