from dataclasses import replace

import numpy as np
import pytest

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.encoder_zeroshot.fitting import estimate, fit
from headway.models.family import Support
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from tests.models.test_contract import examples, tiny_text_encoder

TASK = Classify(("bad", "fair", "good"), descriptions={"bad": "awful dirty 旧", "good": "lovely clean 舒适"})


def trained(train, task=TASK, **options):
    given = {"valid": None, "settings": None, "seed": 0, "clock": Clock()}
    return fit(train, task=task, recipe=Recipe(), **(given | options))


def train_part(**options):
    return replace(examples("classify", {"text"}), support=Support(base=tiny_text_encoder(), **options))


def test_no_training_label_is_looked_at():
    train, fresh = train_part(), examples("classify", {"text"}, 40, 2).rows
    shuffled = replace(train, y=np.random.default_rng(0).permutation(train.y))
    np.testing.assert_array_equal(trained(train).predict(fresh), trained(shuffled).predict(fresh))


def test_unlabelled_texts_are_read_too():
    more = examples("classify", {"text"}, 80, 5).rows
    fresh = examples("classify", {"text"}, 40, 2).rows
    assert not np.allclose(trained(train_part(unlabelled=more)).predict(fresh), trained(train_part()).predict(fresh))


def test_descriptions_count():
    train, fresh = train_part(), examples("classify", {"text"}, 40, 2).rows
    assert not np.allclose(trained(train).predict(fresh), trained(train, Classify(TASK.labels)).predict(fresh))


def test_labels_without_words_are_refused_and_cost_nothing():
    train = train_part()
    with pytest.raises(TrainingError, match="no words"):
        trained(train, Classify((0, 1, 2)))
    assert estimate(train, Classify((0, 1, 2)), Recipe(), seed=0).seconds < 0.1


def test_no_base_is_told():
    with pytest.raises(TrainingError, match="needs a base"):
        trained(examples("classify", {"text"}))
