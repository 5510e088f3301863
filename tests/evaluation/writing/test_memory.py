import numpy as np
import pytest

from headway.evaluation.writing.memory import longest_copies

CORPUS = ["".join(chr(97 + letter) for letter in np.random.default_rng(seed).integers(0, 26, 4000)) for seed in (0, 1)]


def slow(sample, text):
    return max(
        (sample[a:b] for a in range(len(sample)) for b in range(a + 1, len(sample) + 1) if sample[a:b] in text),
        key=len, default="",
    )  # fmt: skip


@pytest.mark.parametrize("length", [5, 9, 64, 150])
def test_a_planted_copy_is_found_to_the_letter(length):
    (copy,) = longest_copies(["#" + CORPUS[1][100 : 100 + length] + "#"], CORPUS)
    assert copy.passage == CORPUS[1][100 : 100 + length]


def test_it_finds_what_a_search_of_all_passages_finds():
    samples = ["".join(chr(97 + letter) for letter in np.random.default_rng(9).integers(0, 26, 30)), "春眠", "", "@@"]
    found = longest_copies(samples, CORPUS)
    assert [len(copy) for copy in found] == [len(slow(sample, "\n".join(CORPUS))) for sample in samples]


def test_a_copy_does_not_reach_over_two_texts():
    (copy,) = longest_copies(["spring moonwind rain"], ["spring moon", "wind rain"])
    assert copy.passage == "spring moon"
