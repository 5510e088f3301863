import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.errors import TrainingError
from headway.models.encoder_fewshot import fitting
from headway.models.family import Examples, Support
from headway.package.opening import open_graph
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from tests.dying import dying_after, let_die
from tests.encoders.tiny import tiny_base

WORDS = ("awful", "lovely", "usual")
TASK = Classify(WORDS)


def reviews(rows, seed, support, columns=("text",)):
    generator = np.random.default_rng(seed)
    y = np.arange(rows) % 3
    texts = {
        name: [" ".join(generator.permutation([WORDS[c], *generator.choice(["the", "room", "was"], 3)])) for c in y]
        for name in columns
    }
    return Examples(pl.DataFrame(texts), tuple(Column(name, "text") for name in columns), y, support=support)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base") / "bert")


def fit(train, valid=None, *, settings=None, clock=None, epochs=20):
    recipe = Recipe(epochs=epochs, learning_rate=3e-3)
    return fitting.fit(train, valid, TASK, recipe, settings=settings, seed=0, clock=clock or Clock())


@pytest.mark.parametrize("settings", [None, {"depth": 1, "method": "layers"}, {"depth": 2, "method": "lora"}])
def test_every_way_learns_and_ships(base, settings):
    train, test = (reviews(rows, seed, Support(base=base)) for seed, rows in enumerate((48, 60)))
    model = fit(train, settings=settings)
    answers = model.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    np.testing.assert_allclose(open_graph(model.graph()).run(test.rows.to_dict()), answers, atol=1e-4)
    assert settings is None or settings.items() <= model.settings.items()


def test_two_text_columns_are_read_side_by_side(base):
    train, test = (reviews(rows, seed, Support(base=base), ("a", "b")) for seed, rows in enumerate((48, 30)))
    model = fit(train)
    answers = model.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    np.testing.assert_allclose(open_graph(model.graph()).run(test.rows.to_dict()), answers, atol=1e-4)


def test_comparing_gains_over_the_head_it_starts_from(base):
    train, test = (reviews(rows, seed, Support(base=base)) for seed, rows in enumerate((48, 90)))
    losses = []
    for epochs in (1, 20):
        answers = fit(train, epochs=epochs).predict(test.rows)
        losses.append(-np.log(np.maximum(answers[np.arange(90), test.y], 1e-6)).mean())
    assert losses[1] < 0.8 * losses[0]


def test_settings_are_replayed_and_the_validation_part_decides_nothing(base):
    train, valid = (reviews(rows, seed, Support(base=base)) for seed, rows in enumerate((24, 12)))
    model = fit(train, valid, epochs=2)
    again = fit(train, settings=model.settings, epochs=2)
    assert again.settings == model.settings
    np.testing.assert_allclose(again.predict(valid.rows), model.predict(valid.rows), atol=1e-5)


def test_an_expired_clock_is_an_error(base):
    with pytest.raises(TrainingError, match="the time ended"):
        fit(reviews(24, 0, Support(base=base)), clock=Clock.after(-1))


def killable(folder, scratch, fatal=0):
    """Fit until the checkpoint numbered `fatal`."""
    train = reviews(96, 0, Support(base=tiny_base(folder), scratch=scratch))
    with dying_after(fatal):
        return fit(train, epochs=3)


@pytest.mark.slow
@pytest.mark.parametrize("fatal", [2, 5])
def test_killed_while_learning_it_goes_on_to_the_same_model(tmp_path, fatal):
    let_die("tests.models.encoder_fewshot.test_fitting", tmp_path / "base", tmp_path / "scratch", fatal)
    assert list((tmp_path / "scratch").glob("encoder_fewshot/*/checkpoint.pt"))
    base = tiny_base(tmp_path / "base")
    answers = []
    for scratch in (tmp_path / "scratch", tmp_path / "other"):
        train = reviews(96, 0, Support(base=base, scratch=scratch))
        answers.append(fit(train, epochs=3).predict(train.rows))
    np.testing.assert_allclose(*answers, atol=1e-6)  # sums of several threads differ in the last bit


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    killable(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
