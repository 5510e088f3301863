import math

from headway.models.gpt.plan import FEWEST_STEPS, LADDER, TOKENS_A_WEIGHT, choose_size, plan_for
from headway.tasks.recipe import Recipe


def plan(recipe=None, **options):
    facts = {"tokens": 1_000_000, "longest": 1_000_000, "vocabulary": 300, "readable": math.inf, **options}
    return plan_for(recipe or Recipe(), **facts)


def test_more_time_and_more_text_give_a_larger_network():
    slow, fast, endless = (plan(readable=readable).size for readable in (1e11, 3e12, math.inf))
    assert slow.width < fast.width < endless.width
    assert plan(tokens=5_000).size.width < plan(tokens=5_000_000).size.width


def test_the_time_is_filled_and_not_more():
    readable = 3e12
    size, reads = choose_size(1_000_000, 300, readable)
    assert reads * size.parameters(300) <= readable * 1.001
    assert reads >= TOKENS_A_WEIGHT * (size.parameters(300) - 300 * size.width)
    assert choose_size(100, 300, 1.0)[0] == LADDER[0]


def test_much_repeated_text_gets_dropout():
    assert plan(readable=1e11).dropout == 0
    assert plan().dropout > 0


def test_a_short_text_is_read_until_something_is_learnt_where_the_time_allows():
    short = plan(tokens=8_000, longest=40, vocabulary=900)
    assert short.steps >= FEWEST_STEPS
    assert short.size.width <= plan(tokens=80_000, longest=40, vocabulary=900).size.width
    hurried = plan(tokens=8_000, longest=40, vocabulary=900, readable=8e9)
    assert hurried.steps * hurried.tokens * hurried.size.parameters(900) <= 8e9 * 1.01
    assert plan(Recipe(epochs=2), tokens=8_000, longest=40).steps < FEWEST_STEPS


def test_the_window_is_as_long_as_the_texts():
    assert plan(longest=20).window == 32
    assert plan(longest=100).window == 128
    assert plan().window == 256


def test_wishes_are_obeyed():
    wished = plan(Recipe(epochs=2, optimizer="adamw", dropout=0.3, batch_size=4, clip=0.5))
    assert (wished.optimizer, wished.dropout, wished.batch_size, wished.clip) == ("adamw", 0.3, 4, 0.5)
    assert wished.steps == round(2 * 1_000_000 / (4 * 256))
    assert wished.learning_rate < plan().learning_rate
