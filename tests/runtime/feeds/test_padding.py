import numpy as np

from headway.runtime.feeds.padding import pad


def test_rows_are_laid_out_in_order():
    rows = pad(np.array([1, 2, 3]), np.array([1, 0, 2]), fill=-1)
    assert rows.tolist() == [[1, -1], [-1, -1], [2, 3]]


def test_the_rectangle_is_at_least_one_wide():
    assert pad(np.array([], np.int32), np.array([0])).tolist() == [[0]]
    assert pad(np.array([], np.int32), np.array([], np.int64)).shape == (0, 1)
