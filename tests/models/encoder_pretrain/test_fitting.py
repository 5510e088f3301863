import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.errors import TrainingError
from headway.models.encoder_pretrain import fitting
from headway.models.encoder_pretrain.starting import start, texts_of
from headway.models.family import Examples, Support
from headway.package.opening import open_graph
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from tests.encoders.tiny import sentences, tiny_base

TASK = Classify(("bad", "good"))
INPUTS = (Column("text", "text"),)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base") / "bert")


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(fitting, "FRESH_PASSES", 1)


def rows(count, seed, support):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, count)
    texts = [f"the room was {('awful', 'lovely')[c]} {generator.choice(['good', 'bad', '旧'])}" for c in y]
    return Examples(pl.DataFrame({"text": texts}), INPUTS, y, support=support)


def unlabelled(count=200):
    return pl.DataFrame({"text": [*sentences(count), None, ""]})


def fit(train, valid, **options):
    recipe = Recipe(epochs=3, learning_rate=3e-3)
    given = {"settings": None, "seed": 0, "clock": Clock()} | options
    return fitting.fit(train, valid, TASK, recipe, **given)


@pytest.mark.parametrize("with_base", [True, False])
def test_it_learns_with_a_base_and_without_and_ships(base, with_base, tmp_path):
    support = Support(base=base if with_base else None, unlabelled=unlabelled(), scratch=tmp_path)
    train, test = rows(160, 0, support), rows(60, 1, support)
    model = fit(train, test)
    answers = model.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    np.testing.assert_allclose(open_graph(model.graph()).run(test.rows.to_dict()), answers, atol=1e-4)
    assert model.curves[0].name == "loss of hidden tokens"
    assert model.curves[0].train[-1] > 0


def test_folds_share_what_was_pretrained(base, tmp_path, monkeypatch):
    support = Support(base=base, unlabelled=unlabelled(), scratch=tmp_path)
    first = fit(rows(80, 0, support), None, settings={"epochs": 1})

    def again(*_, **__):
        raise AssertionError

    monkeypatch.setattr(fitting, "pretrain", again)
    second = fit(rows(80, 5, support), None, settings={"epochs": 1})
    assert second.losses == first.losses


def test_without_unlabelled_texts_it_says_so(base):
    with pytest.raises(TrainingError, match="no unlabelled texts"):
        fit(rows(20, 0, Support(base=base)), None)
    with pytest.raises(TrainingError, match="no unlabelled texts"):
        fit(rows(20, 0, Support(base=base, unlabelled=pl.DataFrame({"text": [None, " "]}))), None)


def test_a_hurried_clock_leaves_time_to_finetune(base, tmp_path):
    support = Support(base=base, unlabelled=unlabelled(2000), scratch=tmp_path)
    train = rows(80, 0, support)
    model = fit(train, train.take(np.arange(30)), clock=Clock.after(40))
    assert model.searching_seconds > 0  # a refit finds what was pretrained
    assert model.settings["epochs"] >= 1


def test_the_mask_of_a_base_is_found_or_stood_in_for(base, tmp_path):
    examples = rows(10, 0, Support(base=base, unlabelled=unlabelled()))
    begun = start(examples, texts_of(examples), tmp_path, seed=0)
    assert begun.mask_id == 1  # this tokenizer has no mask: the unknown token stands in
    assert {0, 2, 3} <= set(begun.special)
    fresh = start(rows(10, 0, Support(unlabelled=unlabelled())), texts_of(examples), tmp_path, seed=0)
    assert fresh.fresh
    assert fresh.mask_id not in (0, 1)


def test_the_estimate_counts_both_parts(base, tmp_path):
    from headway.models.encoder_finetune import fitting as finetuning

    support = Support(base=base, unlabelled=unlabelled(500), scratch=tmp_path)
    train = rows(80, 0, support)
    both = fitting.estimate(train, TASK, Recipe(), seed=0)
    assert both.seconds > 0
    assert both.memory_mb >= finetuning.estimate(train, TASK, Recipe(), seed=0).memory_mb
