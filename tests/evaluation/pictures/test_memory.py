import numpy as np

from headway.evaluation.pictures.memory import copied_share, find_nearest


def points(seed, rows=500):
    return np.random.default_rng(seed).normal(0, 1, (rows, 5)).astype(np.float32)


def test_copies_are_found():
    training, fresh = points(0), points(1)
    drawn = np.concatenate([training[:250] + np.float32(1e-4), points(2, 250)])
    near = find_nearest(drawn, training)
    assert (near.positions[:250] == np.arange(250)).all()
    assert copied_share(near, find_nearest(fresh, training)) > 0.45


def test_fresh_drawings_are_no_copies():
    training = points(0)
    assert copied_share(find_nearest(points(2), training), find_nearest(points(1), training)) < 0.05


def test_distances_are_those_of_the_plane():
    near = find_nearest(np.array([[0.0, 0.0]], np.float32), np.array([[3.0, 4.0], [6.0, 8.0]], np.float32))
    assert near.positions.tolist() == [0]
    assert near.distances.tolist() == [5.0]
