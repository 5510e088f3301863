"""Tests of what is chosen from logits, at the edges of what may be wished."""

import numpy as np
import pytest

from headway.runtime.generation.sampling import choose
from headway.runtime.generation.wishes import Wish


@pytest.mark.parametrize("temperature", [0, 1e-50, 1e-40, 1e-20])
@pytest.mark.parametrize("top_p", [1.0, 0.9, 1e-9])
def test_without_warmth_the_likeliest_token_is_taken(temperature, top_p):
    logits = np.array([-80.0, 3.0, 2.9, -1e6], np.float32)
    assert choose(logits, Wish(temperature=temperature, top_p=top_p), np.random.default_rng(0)) == 1


@pytest.mark.parametrize("top_p", [1e-9, 0.5, 1.0])
def test_of_equally_likely_tokens_one_is_taken(top_p):
    found = {choose(np.zeros(7, np.float32), Wish(top_p=top_p), np.random.default_rng(seed)) for seed in range(50)}
    assert found <= set(range(7))


def test_what_a_grammar_forbids_is_never_chosen():
    class Odd:
        def allowed(self):
            return np.arange(9) % 2 == 1

    logits = np.zeros(9, np.float32)
    found = {choose(logits, Wish(top_p=0.99, grammar=Odd()), np.random.default_rng(seed)) for seed in range(50)}
    assert found == {1, 3, 5, 7}
