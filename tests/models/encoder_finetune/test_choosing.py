from dataclasses import replace

import pytest
import torch

from headway.encoders.opening import open_encoder
from headway.errors import TrainingError
from headway.models.encoder_finetune import choosing
from headway.models.encoder_finetune.choosing import (
    Choice,
    Room,
    Size,
    Speed,
    Work,
    choose,
    depths,
    measure,
    memory_of,
    seconds_of,
    size_of,
)
from tests.encoders.tiny import tiny_base

# multilingual-e5-small, as it is.
E5 = Size(layers=12, hidden=384, inner=1536, layer=1_774_464, megabytes=470.0)
WORK = Work(train=500_000, valid=60_000, longest=256, rows=6_000, epochs=3)
SPEED = Speed(forward=1 / 2_500, training=1 / 700)
ROOMY = Room(memory_mb=16_000, disk_mb=50_000)


def test_all_layers_learn_where_nothing_presses():
    assert choose(E5, WORK, None, room=ROOMY, seconds=float("inf")) == Choice("layers", 12, keeps=False)


def test_less_time_makes_it_shallower():
    chosen = [choose(E5, WORK, SPEED, room=ROOMY, seconds=s).depth for s in (5_000, 1_400, 900, 700)]
    assert chosen[0] == 12
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[-1] < 6


def test_time_that_is_left_over_goes_into_more_epochs():
    long = replace(WORK, most_epochs=5)
    chosen = [choose(E5, long, SPEED, room=ROOMY, seconds=s) for s in (20_000, 3_800)]
    assert [choice.epochs for choice in chosen] == [5, 4]
    assert chosen[0].depth == chosen[1].depth == 12


def test_fewer_epochs_of_more_layers_come_before_more_of_fewer():
    free = replace(WORK, most_epochs=5)
    two, three = (seconds_of(Choice("layers", 12, keeps=False), E5, replace(WORK, epochs=n), SPEED) for n in (2, 3))
    between = (two + three) / 2
    deep = choose(E5, free, SPEED, room=ROOMY, seconds=between)
    assert (deep.depth, deep.epochs) == (12, 2)
    settled = choose(E5, WORK, SPEED, room=ROOMY, seconds=between)
    assert settled.depth < 12
    assert settled.epochs == 0


def test_time_that_cannot_hold_one_reading_is_an_error():
    with pytest.raises(TrainingError, match="too many to be read"):
        choose(E5, WORK, SPEED, room=ROOMY, seconds=30)


def test_little_memory_brings_smaller_parts_then_recomputing_then_adapters():
    needs = [
        memory_of(choose(E5, WORK, None, room=Room(mb, 50_000), seconds=1), E5, longest=256)
        for mb in (4_000, 2_600, 2_000, 1_700)
    ]
    assert all(need <= mb for need, mb in zip(needs, (4_000, 2_600, 2_000, 1_700), strict=True))
    tight = choose(E5, WORK, None, room=Room(1_700, 50_000), seconds=1)
    assert tight.depth == 12
    assert tight.recompute or tight.method == "lora"


def test_states_are_not_kept_where_the_disk_is_full():
    small = choose(E5, WORK, SPEED, room=Room(16_000, 100), seconds=700)
    assert not small.keeps


def test_kept_states_pay_from_the_second_epoch_on():
    shallow, again = Choice("layers", 4, keeps=True), Choice("layers", 4, keeps=False)
    assert seconds_of(shallow, E5, WORK, SPEED) < seconds_of(again, E5, WORK, SPEED)


def test_depths_go_from_all_layers_to_a_sixth():
    assert depths(E5) == [12, 8, 6, 4, 3, 2]
    assert depths(Size(1, 8, 8, 1, 1.0)) == [1]


def test_size_and_speed_are_those_of_the_encoder(tmp_path):
    encoder = open_encoder(tiny_base(tmp_path / "base"))
    size = size_of(encoder)
    assert (size.layers, size.hidden, size.inner) == (2, 32, 64)
    speed = measure(encoder)
    assert speed.forward > 0
    assert speed.training > 0
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_measuring_on_a_device_leaves_the_base_where_it_was(tmp_path, monkeypatch):
    encoder = open_encoder(tiny_base(tmp_path))
    # "meta" stands for a GPU: its tensors are not the CPU's, but Transformers cannot run on it, so nothing is timed.
    monkeypatch.setattr(choosing, "best_device", lambda: torch.device("meta"))
    monkeypatch.setattr(choosing, "timed_steps", lambda *_, **__: 1.0)
    measure(encoder)
    assert {parameter.device.type for parameter in encoder.parameters()} == {"cpu"}
