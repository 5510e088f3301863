import numpy as np
import pytest

from headway.models.ngram.counting import count


@pytest.fixture
def text():
    return np.random.default_rng(0).choice([0, 1, 2, 2, 3, 4], 600).astype(np.int64)


@pytest.mark.parametrize("longest", [1, 2, 5])
def test_probabilities_after_any_context_sum_to_one_and_agree_with_the_losses(text, longest):
    counts = count(text, 7, longest=longest)
    fresh = np.array([0, 1, 2, 5, 2, 3, 6, 2])
    losses = counts.losses(fresh)
    for place in range(len(fresh)):
        chances = counts.distribution(fresh[max(0, place - longest + 1) : place])
        assert chances.sum() == pytest.approx(1)
        assert (chances > 0).all()
        assert -np.log(chances[fresh[place]]) == pytest.approx(losses[place])


def test_what_always_follows_is_expected():
    text = np.tile(np.arange(5), 200).astype(np.int64)
    assert count(text, 5).losses(text)[10:].mean() < 0.05


def test_a_shortened_model_is_the_one_counted_so():
    text = np.random.default_rng(1).integers(0, 4, 500)
    shortened, counted = count(text, 4).shortened(3), count(text, 4, longest=3)
    assert shortened.losses(text) == pytest.approx(counted.losses(text))


def test_a_text_of_one_token():
    assert np.isfinite(count(np.array([1]), 3).losses(np.array([1, 2, 0]))).all()
