import numpy as np
import pytest

from headway.compute.vectors import VectorShelf, digest_of

KEYS = [digest_of(bytes([number])) for number in range(5)]
VECTORS = np.arange(15, dtype=np.float32).reshape(5, 3)


def test_what_is_kept_is_found_by_others_and_the_rest_is_missing(tmp_path):
    VectorShelf(tmp_path / "shelf", 3).add(KEYS[:2], VECTORS[:2])
    shelf = VectorShelf(tmp_path / "shelf", 3)
    found, known = shelf.find([KEYS[1], KEYS[4], KEYS[0]])
    assert known.tolist() == [True, False, True]
    np.testing.assert_array_equal(found, [VECTORS[1], [0, 0, 0], VECTORS[0]])
    VectorShelf(tmp_path / "shelf", 3).add(KEYS[2:], VECTORS[2:])
    np.testing.assert_array_equal(shelf.find(KEYS)[0], VECTORS)


def test_an_empty_shelf_knows_nothing(tmp_path):
    shelf = VectorShelf(tmp_path / "none", 3)
    shelf.add([], np.empty((0, 3), np.float32))
    assert not shelf.find(KEYS)[1].any()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("left", [0, 40, 150])
def test_a_damaged_file_and_one_half_written_are_as_good_as_none(tmp_path, left):
    VectorShelf(tmp_path, 3).add(KEYS[:3], VECTORS[:3])
    (whole,) = tmp_path.glob("*.npy")
    whole.write_bytes(whole.read_bytes()[:left])
    (tmp_path / ".123.draft.npy").write_bytes(b"half")
    shelf = VectorShelf(tmp_path, 3)
    assert not shelf.find(KEYS)[1].any()
    VectorShelf(tmp_path, 3).add(KEYS[:3], VECTORS[:3])
    assert VectorShelf(tmp_path, 3).find(KEYS)[1].sum() == 3


def test_vectors_of_another_width_are_not_taken(tmp_path):
    VectorShelf(tmp_path, 3).add(KEYS[:3], VECTORS[:3])
    assert not VectorShelf(tmp_path, 2).find(KEYS)[1].any()
