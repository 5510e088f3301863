import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.encoders import states
from headway.encoders.tuned import Tuned
from headway.errors import TrainingError
from headway.models.encoder_finetune import choosing, continuing, fitting
from headway.models.encoder_finetune.merging import merged
from headway.models.family import Examples, Support
from headway.networks import checkpoints, training
from headway.package.opening import open_graph
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from tests.dying import let_die
from tests.encoders.tiny import tiny_base

TASK = Classify(("bad", "good"))


def reviews(rows, seed, support, columns=("text",)):
    """Texts whose label is whether they say lovely or awful, among other words."""
    import polars as pl

    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, rows)
    texts = {
        name: [
            " ".join(generator.permutation([("awful", "lovely")[c], *generator.choice(["the", "room", "was"], 4)]))
            for c in y
        ]
        for name in columns
    }
    return Examples(pl.DataFrame(texts), tuple(Column(name, "text") for name in columns), y, support=support)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base") / "bert")


def fit(train, valid, *, settings=None, clock=None, epochs=3):
    recipe = Recipe(epochs=epochs, learning_rate=3e-3)
    return fitting.fit(train, valid, TASK, recipe, settings=settings, seed=0, clock=clock or Clock())


@pytest.mark.parametrize("settings", [None, {"depth": 1, "method": "layers"}, {"depth": 2, "method": "lora"}])
def test_every_way_learns_and_ships(base, settings):
    train, test = (reviews(rows, seed, Support(base=base)) for seed, rows in enumerate((160, 60)))
    model = fit(train, test, settings=settings)
    answers = model.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    np.testing.assert_allclose(open_graph(model.graph()).run(test.rows.to_dict()), answers, atol=1e-4)
    assert settings is None or settings.items() <= model.settings.items()


@pytest.mark.parametrize("method", ["layers", "lora"])
def test_with_mixout_it_learns_otherwise_and_ships_the_plain_network(base, method):
    train, test = (reviews(rows, seed, Support(base=base)) for seed, rows in enumerate((160, 60)))
    choice = {"method": method, "depth": 2}

    def trained(mixout):
        recipe = Recipe(epochs=3, learning_rate=3e-3, mixout=mixout)
        return fitting.fit(train, test, TASK, recipe, settings=choice, seed=0, clock=Clock())

    plain, mixed, again = (trained(mixout) for mixout in (None, 0.7, 0.7))
    answers = mixed.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    assert np.abs(answers - plain.predict(test.rows)).max() > 1e-3
    np.testing.assert_array_equal(again.predict(test.rows), answers)
    np.testing.assert_allclose(open_graph(mixed.graph()).run(test.rows.to_dict()), answers, atol=1e-4)


def test_two_text_columns_are_read_side_by_side(base):
    train, test = (reviews(rows, seed, Support(base=base), ("a", "b")) for seed, rows in enumerate((120, 40)))
    model = fit(train, test)
    answers = model.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    np.testing.assert_allclose(open_graph(model.graph()).run(test.rows.to_dict()), answers, atol=1e-4)


def test_a_hurried_clock_is_obeyed_and_says_so(base):
    train = reviews(160, 0, Support(base=base))
    model = fit(train, train.take(np.arange(40)), clock=Clock.after(60), epochs=2)
    assert model.settings["epochs"] <= 2
    with pytest.raises(TrainingError, match="the time ended"):
        fit(train, None, clock=Clock.after(-1))


@pytest.mark.parametrize("method", ["layers", "lora"])
def test_fine_tuning_that_spoils_the_solved_head_ships_the_head(base, method):
    train, test = (reviews(rows, seed, Support(base=base)) for seed, rows in enumerate((160, 60)))
    recipe = Recipe(epochs=3, learning_rate=3.0)
    choice = {"method": method, "depth": 2}
    model = fitting.fit(train, test, TASK, recipe, settings=choice, seed=0, clock=Clock())
    assert model.settings["best_epoch"] == 0
    again = fitting.fit(train, None, TASK, recipe, settings=model.settings, seed=0, clock=Clock())
    answers = model.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    np.testing.assert_allclose(again.predict(test.rows), answers, atol=1e-5)
    np.testing.assert_allclose(open_graph(model.graph()).run(test.rows.to_dict()), answers, atol=1e-4)


def test_the_folds_of_a_run_learn_what_the_first_chose(base, tmp_path, monkeypatch):
    rows = reviews(120, 0, Support(base=base, scratch=tmp_path))
    folds = [rows.take(part) for part in np.split(np.arange(120), 3)]
    first = fit(folds[0], folds[1], epochs=1)
    monkeypatch.setattr(choosing, "choose", lambda *_, **__: pytest.fail("chosen again"))
    second = fit(folds[1], folds[2], epochs=1)
    assert [second.told[key] for key in ("method", "depth")] == [first.told[key] for key in ("method", "depth")]


@pytest.mark.parametrize("method", ["layers", "lora"])
def test_a_refit_in_time_goes_on_with_what_is_new(base, tmp_path, monkeypatch, method):
    rows = reviews(200, 0, Support(base=base, scratch=tmp_path))
    test = reviews(60, 1, Support())
    monkeypatch.setattr(choosing, "SHARES", (1.0,))
    monkeypatch.setattr(fitting, "suited", lambda plan, *_: replace(plan, threads=1))
    chosen = choosing.fitted_to_memory
    monkeypatch.setattr(
        choosing, "fitted_to_memory", lambda *rest, **options: chosen(*rest, **{**options, "methods": (method,)})
    )
    part = fit(rows.take(np.arange(160)), rows.take(np.arange(160, 200)), clock=Clock.after(300), epochs=4)
    assert part.settings["method"] == method
    lessons = []
    train = training.train

    def counted(build, lesson, *rest, **options):
        lessons.append(len(lesson))
        return train(build, lesson, *rest, **options)

    monkeypatch.setattr(training, "train", counted)
    whole = fit(rows, None, settings=part.settings, clock=Clock.after(300), epochs=4)
    assert 40 < lessons[0] <= 80  # 40 are new, but for those that repeat others, and as many of the others
    answers = whole.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    np.testing.assert_allclose(open_graph(whole.graph()).run(test.rows.to_dict()), answers, atol=1e-4)
    # Where time does not press, it learns from all of them anew; so it does where nothing was kept.
    fit(rows, None, settings=part.settings, epochs=4)
    fit(rows, None, settings={**part.settings, "goes_on_from": "elsewhere"}, clock=Clock.after(300), epochs=4)
    assert lessons[1:] == [200, 200]


def test_a_refit_that_goes_on_is_reckoned_cheaper_than_the_fit(base, tmp_path, monkeypatch):
    rows = reviews(500, 0, Support(base=base, scratch=tmp_path))
    part, rest = rows.take(np.arange(400)), rows.take(np.arange(400, 500))
    monkeypatch.setattr(continuing, "OPENING", 0.0)
    began = time.perf_counter()
    hurried = fit(part, rest, clock=Clock.after(300), epochs=20)
    took = time.perf_counter() - began
    assert took / 2 < hurried.searching_seconds < took
    assert fit(part, rest, epochs=1).searching_seconds == 0  # it will begin anew


def test_what_must_follow_a_fit_has_its_time():
    for valid_share in (1 / 9, 1 / 4):
        fitting_share = continuing.share_of_time(valid_share)
        an_epoch = fitting_share / continuing.FEW_EPOCHS
        again = fitting_share - continuing.spared_seconds(fitting_share + continuing.OPENING, an_epoch, valid_share)
        assert fitting_share + again == pytest.approx(1 - continuing.HELD_BACK)


def test_a_refit_does_not_go_on_where_the_base_as_it_was_is_better(base, tmp_path):
    rows = reviews(200, 0, Support(base=base, scratch=tmp_path))
    part = fit(rows.take(np.arange(160)), rows.take(np.arange(160, 200)), clock=Clock.after(300))
    assert continuing.begun(part.settings, tmp_path, clock=Clock.after(300)) is not None
    other_folds = {**part.settings, "best_epoch": 0}
    assert continuing.begun(other_folds, tmp_path, clock=Clock.after(300)) is None


def test_a_disk_that_is_full_leaves_the_fit_as_it_is(base, tmp_path, monkeypatch):
    rows = reviews(120, 0, Support(base=base, scratch=tmp_path))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torch.save", full)
    part = fit(rows.take(np.arange(90)), rows.take(np.arange(90, 120)), clock=Clock.after(300))
    assert not list(tmp_path.glob("*/*learnt*"))
    whole = fit(rows, None, settings=part.settings, clock=Clock.after(300))
    assert (whole.predict(rows.rows).argmax(1) == rows.y).mean() > 0.9


def test_without_a_base_there_is_an_error():
    with pytest.raises(TrainingError, match="no base model"):
        fit(reviews(20, 0, Support()), None)


@pytest.mark.parametrize("kind", ["mpnet", "modernbert"])
def test_other_architectures_are_traced_once_they_have_learnt(tmp_path, kind):
    base = tiny_base(tmp_path / "base", kind)
    train, test = (reviews(rows, seed, Support(base=base), ("a", "b")) for seed, rows in enumerate((120, 40)))
    model = fit(train, test)
    answers = model.predict(test.rows)
    assert (answers.argmax(1) == test.y).mean() > 0.9
    np.testing.assert_allclose(open_graph(model.graph()).run(test.rows.to_dict()), answers, atol=1e-4)


def test_a_merge_that_changes_answers_is_an_error(base, monkeypatch):
    train = reviews(40, 0, Support(base=base))
    model = fit(train, None, settings={"depth": 1, "method": "layers"}, epochs=1)
    network = model.trained.network
    assert isinstance(network, Tuned)
    monkeypatch.setattr(
        "headway.models.encoder_finetune.merging.merge_adapters",
        lambda encoder: [parameter.data.mul_(1.5) for parameter in encoder.parameters()],
    )
    with pytest.raises(TrainingError, match="merged adapters"):
        merged(model.trained, network, model.reader.read(train.rows))


def killable(folder, scratch, fatal=0):
    """Fit with a checkpoint at every step; die at the step, or at the kept part (negative), numbered `fatal`."""
    base = tiny_base(folder)
    train, valid = (reviews(rows, seed, Support(base=base, scratch=scratch)) for seed, rows in enumerate((96, 32)))
    seen = [0]

    def counted(action, sign):
        def run(*arguments):
            result = action(*arguments)
            seen[0] += sign
            if fatal != 0 and seen[0] == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return run

    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(states, "PART_TOKENS", 200)
        patched.setattr(checkpoints.Checkpoints, "is_due", lambda _: True)
        if fatal >= 0:
            patched.setattr(checkpoints.Checkpoints, "save", counted(checkpoints.Checkpoints.save, 1))
        else:
            patched.setattr(states.StateStore, "_add", counted(states.StateStore._add, -1))
        return fit(train, valid, settings=None if fatal >= 0 else {"depth": 1, "method": "layers"}, epochs=2)


# Killed while the lower layers read the texts, in the first epoch, and in the second.
@pytest.mark.slow
@pytest.mark.parametrize("fatal", [-2, 3, 9])
def test_killed_while_fine_tuning_it_goes_on_to_the_same_model(tmp_path, fatal):
    let_die("tests.models.encoder_finetune.test_fitting", tmp_path / "base", tmp_path / "scratch", fatal)
    assert list((tmp_path / "scratch").glob("*/checkpoint.pt" if fatal > 0 else "*/part-*"))
    settings = None if fatal > 0 else {"depth": 1, "method": "layers"}
    base = tiny_base(tmp_path / "base")
    answers = []
    for scratch in (tmp_path / "scratch", tmp_path / "other"):
        train, valid = (reviews(rows, seed, Support(base=base, scratch=scratch)) for seed, rows in enumerate((96, 32)))
        model = fit(train, valid, settings=settings, epochs=2)
        answers.append(model.predict(valid.rows))
    np.testing.assert_allclose(*answers, atol=1e-6)  # sums of several threads differ in the last bit


def test_an_estimate_grows_with_the_rows(base):
    few = reviews(60, 0, Support(base=base))
    many = replace(few.take(np.arange(6000) % 60), support=few.support)
    recipe = Recipe(epochs=2)
    small, large = (fitting.estimate(train, TASK, recipe, seed=0) for train in (few, many))
    assert large.seconds > 5 * small.seconds
    assert large.memory_mb > 0


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    killable(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
