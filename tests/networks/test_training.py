import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from headway.compute.clock import Clock
from headway.errors import TrainingError
from headway.networks import training
from headway.networks.batches import Arrays, Lesson
from headway.networks.device import best_device
from headway.networks.losses import apart
from headway.networks.plan import Plan, planned
from headway.networks.timing import Pace
from headway.networks.training import estimated, precision_for, predict, threads_for, train
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe

TASK = Classify(("no", "yes"))


def build():
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))


def build_regressor():
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))


def lessons(rows=400):
    x = np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32)
    y = (x[:, 0] > x[:, 1]).astype(np.int64)
    half = rows // 2
    return Lesson(Arrays((x[:half],)), y[:half]), Lesson(Arrays((x[half:],)), y[half:])


def accuracy(trained, lesson):
    return float((predict(trained, lesson.source).argmax(1) == lesson.y).mean())


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "focal"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_every_loss_and_optimiser_learns(loss, optimizer):
    lesson, valid = lessons()
    plan = planned(Recipe(loss=loss, optimizer=optimizer), TASK, Plan(learning_rate=0.01, batch_size=32))
    assert accuracy(train(build, lesson, None, TASK, plan, seed=0, clock=Clock()), valid) > 0.93


def test_two_draws_of_dropout_are_drawn_together():
    def dropping():
        return nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 2))

    def distance(r_drop):
        lesson, valid = lessons()
        plan = planned(Recipe(r_drop=r_drop, dropout=0.5), TASK, Plan(learning_rate=0.01, batch_size=32, epochs=15))
        trained = train(dropping, lesson, None, TASK, plan, seed=0, clock=Clock())
        assert accuracy(trained, valid) > 0.9
        network = trained.network.train()
        torch.manual_seed(0)
        x = torch.from_numpy(valid.source.arrays[0])
        return float(apart(network(x), network(x)).detach().mean())

    assert distance(5.0) < distance(None) / 2
    same = torch.randn(3, 2)
    assert apart(same, same).abs().max() == 0


def test_r_drop_without_dropout_is_an_error():
    with pytest.raises(TrainingError, match="there is no dropout"):
        planned(Recipe(r_drop=1.0), TASK, Plan())
    assert planned(Recipe(r_drop=1.0, dropout=0.2), TASK, Plan()).r_drop == 1.0


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_regression_answers_in_the_unit_of_the_target(loss):
    x = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    y = (1e6 + 1e5 * x[:, 0]).astype(np.float32)
    plan = planned(Recipe(loss=loss), Regress(), Plan(learning_rate=0.01, epochs=30, batch_size=32))
    lesson = Lesson(Arrays((x,)), y)
    trained = train(build_regressor, lesson, None, Regress(), plan, seed=0, clock=Clock())
    assert np.abs(predict(trained, lesson.source) - y).mean() < 2e4


def test_the_same_seed_gives_the_same_network():
    lesson, valid = lessons()
    runs = [train(build, lesson, valid, TASK, Plan(epochs=3), seed=7, clock=Clock()) for _ in range(2)]
    other = train(build, lesson, valid, TASK, Plan(epochs=3), seed=8, clock=Clock())
    np.testing.assert_array_equal(*[predict(run, valid.source) for run in runs])
    assert not np.array_equal(predict(runs[0], valid.source), predict(other, valid.source))


def test_a_finite_clock_with_time_to_spare_changes_nothing():
    lesson, valid = lessons()
    runs = [train(build, lesson, valid, TASK, Plan(epochs=3), seed=7, clock=c) for c in (Clock(), Clock.after(100))]
    np.testing.assert_array_equal(*[predict(run, valid.source) for run in runs])


def test_training_leaves_the_callers_random_state_alone():
    lesson, _ = lessons()
    before = torch.random.get_rng_state()
    train(build, lesson, None, TASK, Plan(epochs=1), seed=0, clock=Clock())
    assert torch.equal(before, torch.random.get_rng_state())


def test_early_stopping_keeps_the_best_epoch():
    lesson, valid = lessons()
    noise = np.random.default_rng(1).integers(0, 2, len(lesson))
    plan = Plan(epochs=200, early_stopping=3, schedule="constant", learning_rate=0.05, batch_size=16)
    trained = train(build, Lesson(lesson.source, noise), valid, TASK, plan, seed=0, clock=Clock())
    assert len(trained.valid_loss) == trained.best_epoch + 3
    assert trained.valid_loss[trained.best_epoch - 1] == min(trained.valid_loss)


def test_settings_replay_the_same_epochs_without_a_validation_part():
    lesson, valid = lessons()
    plan = Plan(epochs=30, early_stopping=2, learning_rate=0.05, schedule="constant")
    first = train(build, lesson, valid, TASK, plan, seed=0, clock=Clock())
    again = train(build, lesson, None, TASK, plan, seed=0, clock=Clock(), settings=first.settings)
    assert len(again.train_loss) == first.best_epoch
    np.testing.assert_allclose(predict(again, valid.source), predict(first, valid.source), atol=1e-6)


def solved_build():
    network = nn.Linear(4, 2)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[-5.0, 5.0, 0.0, 0.0], [5.0, -5.0, 0.0, 0.0]]))
        network.bias.zero_()
    return network


SPOILING = Plan(epochs=4, early_stopping=2, learning_rate=30.0, batch_size=16, schedule="constant", solved=True)


def test_a_solved_network_that_training_spoils_is_kept_and_replayed():
    lesson, valid = lessons()
    wrong = Lesson(lesson.source, 1 - lesson.y)
    trained = train(solved_build, wrong, valid, TASK, SPOILING, seed=0, clock=Clock())
    again = train(solved_build, wrong, None, TASK, SPOILING, seed=0, clock=Clock(), settings=trained.settings)
    assert (trained.best_epoch, len(trained.train_loss)) == (0, 2)
    assert again.train_loss == ()
    for run in (trained, again):
        assert torch.equal(run.network.weight, solved_build().weight)
    spoilt = train(solved_build, wrong, valid, TASK, replace(SPOILING, solved=False), seed=0, clock=Clock())
    assert accuracy(spoilt, valid) < 0.5
    assert accuracy(trained, valid) > 0.95


def test_a_solved_network_needs_no_time_to_be_one():
    lesson, valid = lessons()
    trained = train(solved_build, lesson, valid, TASK, SPOILING, seed=0, clock=Clock.after(0))
    assert trained.best_epoch == 0
    assert torch.equal(trained.network.weight, solved_build().weight)


def test_the_first_steps_are_gentle_however_few_there_are():
    lesson, _ = lessons()
    few = Lesson(Arrays((lesson.source.arrays[0][:32],)), lesson.y[:32])
    moved = []
    for gentle in (0, 50):
        plan = Plan(epochs=1, batch_size=16, warmup=0.1, learning_rate=0.1, solved=True, gentle_steps=gentle)
        trained = train(solved_build, few, None, TASK, plan, seed=0, clock=Clock())
        moved.append((trained.network.weight - solved_build().weight).abs().max().item())
    assert moved[1] < 0.1 * moved[0]


class Slow(Arrays):
    def batch(self, positions, augment):
        time.sleep(0.02)
        return super().batch(positions, augment)


def test_a_short_clock_cuts_epochs_and_is_kept():
    lesson, _ = lessons()
    slow = Lesson(Slow(lesson.source.arrays), lesson.y)
    began = time.monotonic()
    plan = Plan(epochs=1000, batch_size=20)
    trained = train(build, slow, None, TASK, plan, seed=0, clock=Clock.after(1.5))
    assert time.monotonic() - began < 4  # the whole plan would take minutes
    assert 1 <= trained.epochs < 10


def test_no_time_at_all_is_an_error():
    lesson, _ = lessons()
    with pytest.raises(TrainingError, match="before the first training step"):
        train(build, lesson, None, TASK, Plan(), seed=0, clock=Clock.after(0))


def test_a_loss_that_is_no_number_is_an_error():
    lesson, _ = lessons()
    bad = Lesson(Arrays((np.full((200, 4), np.nan, np.float32),)), lesson.y)
    with pytest.raises(TrainingError, match="the loss became nan in epoch 1"):
        train(build, bad, None, TASK, Plan(), seed=0, clock=Clock())


def test_balanced_class_weights_favour_the_rare_label():
    x = np.random.default_rng(0).normal(size=(600, 4)).astype(np.float32)
    y = (x[:, 0] + np.random.default_rng(1).normal(size=600) > 1.8).astype(np.int64)
    lesson = Lesson(Arrays((x,)), y)
    found = [
        predict(
            train(build, lesson, None, TASK, Plan(class_weights=w, learning_rate=0.01), seed=0, clock=Clock()),
            lesson.source,
        )[:, 1]
        for w in (None, "balanced")
    ]
    assert found[1].mean() > 2 * found[0].mean()


def test_rows_without_weight_teach_nothing():
    lesson, valid = lessons()
    weight = np.r_[np.ones(100), np.zeros(100)].astype(np.float32)
    wrong = np.r_[lesson.y[:100], 1 - lesson.y[100:]]
    plan = Plan(learning_rate=0.01, batch_size=16)
    trained = train(build, Lesson(lesson.source, wrong, weight), None, TASK, plan, seed=0, clock=Clock())
    assert accuracy(trained, valid) > 0.9


def test_l1_makes_weights_smaller():
    lesson, _ = lessons()
    sizes = [
        sum(
            p.abs().sum().item()
            for p in train(
                build, lesson, None, TASK, Plan(l1=l1, learning_rate=0.01), seed=0, clock=Clock()
            ).network.parameters()
        )
        for l1 in (0.0, 0.01)
    ]
    assert sizes[1] < 0.8 * sizes[0]


def test_an_estimate_grows_with_epochs_and_rows():
    lesson, _ = lessons()
    once, _ = estimated(build, lesson, 10_000, TASK, Plan(epochs=10), seed=0)
    more, memory = estimated(build, lesson, 100_000, TASK, Plan(epochs=100), seed=0)
    assert more > 20 * once
    assert memory > 0


@pytest.mark.skipif(best_device().type != "cpu", reason="threads matter on the CPU only")
@pytest.mark.parametrize(("together", "chosen"), [(5.0, 1), (0.6, None), (1.2, None)])
def test_one_thread_trains_where_other_processes_hold_the_cores(monkeypatch, together, chosen):
    torch.set_num_threads(2)
    steps = {1: 1.0, 2: together}
    monkeypatch.setattr(training, "probe", lambda *_: Pace(steps[torch.get_num_threads()], 0.0))
    lesson, _ = lessons()
    assert threads_for(build, lesson, TASK, Plan(), seed=0) == chosen
    assert threads_for(build, lesson, TASK, Plan(threads=2), seed=0) == 2


@pytest.mark.parametrize(("reduced", "chosen"), [(1.0, "auto"), (3.0, "float32")])
def test_bfloat16_is_used_where_it_is_really_faster(monkeypatch, reduced, chosen):
    monkeypatch.setattr(training, "has_bfloat16", lambda _: True)
    monkeypatch.setattr(training, "probe", lambda *a: Pace(reduced if a[-1].precision == "auto" else 2.0, 0.0))
    assert precision_for(build(), lessons()[0], TASK, Plan()) == chosen


def test_parts_of_a_step_add_up_to_the_whole():
    from headway.networks.batches import Sequences

    class Embedded(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(50, 8)
            self.head = nn.Linear(8, 2)

        def forward(self, ids, mask):
            return self.head((self.table(ids) * mask[..., None]).sum(1))

    lengths = np.random.default_rng(0).integers(1, 9, 80)
    ids = np.random.default_rng(1).integers(1, 50, lengths.sum())
    lesson = Lesson(Sequences(ids, np.concatenate([[0], np.cumsum(lengths)])), (lengths > 4).astype(np.int64))
    plans = [Plan(epochs=2, batch_size=20, tokens=tokens) for tokens in (0, 30)]
    runs = [train(Embedded, lesson, None, TASK, plan, seed=0, clock=Clock()) for plan in plans]
    np.testing.assert_allclose(*[predict(run, lesson.source) for run in runs], atol=1e-5)


def test_lower_layers_learn_at_their_own_rate():
    class Stacked(nn.Module):
        def __init__(self):
            super().__init__()
            self.low, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.low(x))

        def height(self, parameter):
            return 1 if parameter.startswith("low") else 0

    lesson, _ = lessons()
    moved = []
    for decay in (1.0, 0.01):
        plan = Plan(epochs=2, layer_decay=decay, weight_decay=0.0)
        trained = train(Stacked, lesson, None, TASK, plan, seed=0, clock=Clock())
        torch.manual_seed(0)
        moved.append((trained.network.low.weight - Stacked().low.weight).abs().mean().item())
    assert moved[1] < 0.1 * moved[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_network_trains_on_the_gpu_and_comes_back():
    lesson, valid = lessons()
    trained = train(build, lesson, None, TASK, Plan(learning_rate=0.01), seed=0, clock=Clock())
    assert next(trained.network.parameters()).device.type == "cpu"
    assert accuracy(trained, valid) > 0.9
