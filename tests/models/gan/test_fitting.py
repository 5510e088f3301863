import numpy as np
import pytest

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.models.gan.fitting import estimate, fit
from headway.models.gan.training import Seen
from headway.tasks import Generate
from headway.tasks.recipe import Recipe
from tests.models.gan.material import examples

QUICK = Recipe(epochs=2, batch_size=16)


def fitted(train=None, recipe=QUICK, **options):
    wishes = {"settings": None, "seed": 1, "clock": Clock(), **options}
    return fit(examples() if train is None else train, None, Generate(), recipe, **wishes)


@pytest.fixture(scope="module")
def trained():
    return fitted()


def test_it_draws_pictures_of_the_size_learnt_from(trained):
    drawn = trained.draw(np.array([0, 1, 2, 0]), seed=3)
    assert drawn.shape == (4, 8, 8, 1)
    assert drawn.dtype == np.uint8
    assert trained.looks[-1].pictures == 12 * 16
    assert len(trained.curves[0].train) == len(trained.looks)


def test_the_same_seed_gives_the_same_generator(trained):
    labels = np.arange(6) % 3
    assert (trained.draw(labels, seed=0) == fitted().draw(labels, seed=0)).all()
    assert (trained.draw(labels, seed=0) == fitted(settings=trained.settings).draw(labels, seed=0)).all()
    assert (trained.draw(labels, seed=0) != fitted(seed=2).draw(labels, seed=0)).any()


def test_the_critic_answers_rows_of_pictures(trained):
    answers = trained.predict(examples(5).rows)
    assert answers.shape == (5,)
    assert np.isfinite(answers).all()


def test_what_it_costs_is_estimated():
    found = estimate(examples(), Generate(), QUICK, seed=0)
    assert found.seconds > 0
    assert found.memory_mb > 0


def test_the_clock_is_obeyed_and_no_time_is_an_error():
    with pytest.raises(TrainingError, match="before a picture was drawn"):
        fitted(clock=Clock.after(0.0))


def test_too_few_pictures_are_refused():
    with pytest.raises(TrainingError, match="too few pictures"):
        fitted(examples(9))


def test_a_loss_that_is_no_number_is_an_error_with_the_way_out():
    with pytest.raises(TrainingError, match=r"learning_rate"):
        fitted(recipe=Recipe(epochs=2, batch_size=16, learning_rate=1e38))


def test_after_a_good_look_a_broken_loss_keeps_the_best(monkeypatch):
    from headway.models.gan.training import Training

    step = Training.train_step

    def broken(self, left):
        losses = step(self, left)
        return (float("nan"), 0.0) if self.steps == 8 else losses

    monkeypatch.setattr(Training, "train_step", broken)
    found = fitted(watch=lambda _: Seen(1.0, 1.0))
    assert "no number in step 9" in found.notes[0]
    assert np.isfinite(found.generator.last.weight.detach().numpy()).all()


def test_a_collapse_ends_the_training_and_the_best_look_is_kept():
    seen = iter([9.0, 5.0, 6.0, 7.0, 8.0, 9.0] * 3)
    varieties = iter([1.0, 1.0, 1.0, 0.9, 0.1, 0.1] + [0.1] * 12)
    found = fitted(recipe=Recipe(epochs=4, batch_size=16), watch=lambda _: Seen(next(seen), next(varieties)))
    assert found.best == 1
    assert len(found.looks) == 6
    assert "collapsed" in found.notes[0]
    assert found.plan.steps < 24


def test_one_kind_and_colours_are_drawn_too():
    found = fitted(examples(40, classes=1, colours=3, side=9), recipe=Recipe(epochs=1, batch_size=16))
    assert found.generator.labels is None
    assert found.draw(np.zeros(2, np.int64), seed=0).shape == (2, 9, 9, 3)
