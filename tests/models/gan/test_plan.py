import json

import pytest

from headway.errors import DataError
from headway.models.gan.plan import doublings_of, plan_for, replayed
from headway.tasks.recipe import Recipe


@pytest.mark.parametrize(
    ("size", "doublings"), [((8, 8), 1), ((28, 28), 2), ((32, 32), 3), ((64, 48), 3), ((64, 64), 4)]
)
def test_the_first_picture_has_four_to_seven_pixels_a_side(size, doublings):
    assert doublings_of(*size) == doublings
    assert 4 <= min(size) / 2**doublings < 8


def test_a_plan_survives_json():
    plan = plan_for(Recipe(learning_rate=1e-3, batch_size=32, epochs=2), width=28, height=28, rows=320)
    assert replayed(json.loads(json.dumps(plan.settings))) == plan
    assert plan.steps == 20
    assert plan.learning_rate == 1e-3


def test_pictures_that_are_read_often_are_changed_and_others_are_not():
    assert plan_for(Recipe(), width=28, height=28, rows=1_000).augment
    assert not plan_for(Recipe(), width=28, height=28, rows=100_000).augment
    assert not plan_for(Recipe(augment=False), width=28, height=28, rows=1_000).augment
    assert not plan_for(Recipe(epochs=5), width=28, height=28, rows=1_000).augment
    assert plan_for(Recipe(epochs=5, augment=True), width=28, height=28, rows=1_000).augment


@pytest.mark.parametrize("size", [(6, 28), (28, 200)])
def test_a_size_that_cannot_be_drawn_is_named(size):
    with pytest.raises(DataError, match=f"{size[0]} x {size[1]}"):
        plan_for(Recipe(), width=size[0], height=size[1], rows=100)
