import numpy as np
import polars as pl
import pytest

from headway.errors import TrainingError
from headway.models.family import Examples
from headway.models.folding import inner_folds
from headway.models.weighting import row_weights
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe

TASK = Classify(("good", "bad"))


def examples(y, weight=None):
    return Examples(pl.DataFrame({"x": np.zeros(len(y))}), (), np.array(y), weight)


def test_balanced_classes_weigh_the_same():
    weight = row_weights(examples([0, 0, 0, 1]), TASK, Recipe(class_weights="balanced"))
    assert weight[:3].sum() == pytest.approx(weight[3])
    assert weight.mean() == pytest.approx(1.0)


def test_rows_own_weights_multiply_with_those_of_their_class():
    own = np.array([1.0, 2.0], np.float32)
    weight = row_weights(examples([0, 1], own), TASK, Recipe(class_weights={"bad": 5.0}))
    assert weight[1] / weight[0] == pytest.approx(10.0)


def test_a_weight_for_an_unknown_label_says_which_label_was_meant():
    with pytest.raises(TrainingError, match="did you mean 'good'"):
        row_weights(examples([0, 1]), TASK, Recipe(class_weights={"goood": 2.0}))


@pytest.mark.parametrize("task", [TASK, Regress()])
def test_folds_cover_every_row_once_and_spread_the_targets(task):
    y = np.arange(103) % 2 if task.kind == "classify" else np.linspace(0, 1, 103)
    folds = inner_folds(y, task, folds=4, seed=0)
    assert sorted(np.concatenate([fold.valid for fold in folds])) == list(range(103))
    for fold in folds:
        assert not set(fold.train) & set(fold.valid)
        assert len(fold.train) + len(fold.valid) == 103
        assert abs(y[fold.valid].mean() - y.mean()) < 0.05
