from dataclasses import replace

import numpy as np

from headway.runtime.decisions import decide
from tests.runtime.manifests import FULL

PLAIN = replace(FULL, labels=("a", "b", "c"), threshold=None, costs=None)
PROBABILITIES = np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.45, 0.1, 0.45]], dtype=np.float32)


def test_the_most_probable_label_is_chosen():
    assert decide(PROBABILITIES, PLAIN).tolist() == [0, 2, 0]


def test_a_threshold_is_for_its_label_and_the_best_other_stands_below_it():
    assert decide(PROBABILITIES, replace(PLAIN, threshold=("b", 0.25))).tolist() == [1, 1, 0]
    assert decide(PROBABILITIES, replace(PLAIN, threshold=("c", 0.7))).tolist() == [0, 1, 0]
    assert decide(PROBABILITIES[:, :1], replace(PLAIN, labels=("a",), threshold=("a", 0.9))).tolist() == [0, 0, 0]


def test_the_least_expected_cost_wins_over_all():
    costs = ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (100.0, 100.0, 0.0))
    assert decide(PROBABILITIES, replace(PLAIN, costs=costs, threshold=("b", 0.0))).tolist() == [2, 2, 2]
