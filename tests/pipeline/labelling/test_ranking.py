import numpy as np

from headway.pipeline.labelling.ranking import rank, uncertainty


def groups(sizes, width=12, seed=0):
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(len(sizes), width))
    where = np.repeat(np.arange(len(sizes)), sizes)
    x = centres[where] + 0.1 * generator.normal(size=(len(where), width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), where


def test_the_first_rows_are_not_alike_and_large_groups_come_first():
    x, where = groups([40, 25, 15, 8, 4])
    ranking = rank(x, np.full((len(x), 2), 0.5), top=5)
    assert sorted(where[ranking.order]) == [0, 1, 2, 3, 4]
    assert where[ranking.order[0]] == 0
    assert ranking.alike[0] >= 30


def test_unclear_rows_come_before_sure_ones():
    x, where = groups([20, 20])
    shares = np.where(where[:, None] == 1, [[0.5, 0.5]], [[0.99, 0.01]])
    assert where[rank(x, shares, top=1).order[0]] == 1


def test_what_is_labelled_already_teaches_less():
    x, where = groups([30, 20])
    first = rank(x, np.full((len(x), 2), 0.5), top=1, labelled=x[where == 0][:3])
    assert where[first.order[0]] == 1


def test_all_rows_can_be_ranked_once():
    x, _ = groups([5, 3])
    assert sorted(rank(x, np.full((8, 3), 1 / 3), top=50).order) == list(range(8))


def test_uncertainty_is_the_margin():
    np.testing.assert_allclose(uncertainty(np.array([[0.5, 0.5, 0], [1, 0, 0]])), [1, 0])
