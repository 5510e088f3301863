"""How long and how fast adapters learn."""

import math
from dataclasses import replace

from headway.models.lora.plan import choose_depth, plan_for
from headway.tasks.recipe import Recipe


def planned(recipe=None, **change):
    recipe = recipe or Recipe()
    return plan_for(recipe, **{"texts": 1000, "tokens": 50_000, "pairs": 0, "window": 1024, "layers": 30, **change})


def test_steps_read_about_a_thousand_tokens():
    plan = planned()
    assert plan.batch_size == 20
    assert plan.steps == 3 * 50
    assert plan.pair_steps == 0
    assert planned(tokens=10**7).batch_size == 4


def test_little_time_gives_fewer_layers_and_smaller_steps():
    assert [choose_depth(30, passes) for passes in (math.inf, 6, 3.5, 2.7, 1, 0)] == [30, 30, 15, 10, 5, 5]
    hurried = planned(passes=1.0)
    assert (hurried.depth, hurried.batch_size) == (5, 5)
    assert hurried.learning_rate > planned().learning_rate
    assert planned(passes=100.0) == planned()


def test_wishes_win():
    wishes = Recipe(epochs=2, batch_size=10, learning_rate=1e-3, lora_rank=4, dpo_beta=0.3, early_stopping=0)
    plan = planned(replace(wishes, warmup=0.2), pairs=25)
    assert (plan.steps, plan.pair_steps, plan.learning_rate) == (200, 6, 1e-3)
    assert (plan.rank, plan.alpha, plan.beta, plan.warmup) == (4, 8.0, 0.3, 0.2)
    assert plan.patience > 10**6


def test_the_loss_says_which_lesson_is_taught():
    assert planned(Recipe(loss="dpo"), pairs=100).steps == 0
    assert planned(Recipe(loss="cross_entropy"), pairs=100).pair_steps == 0
    assert planned(pairs=100).pair_steps > 0
