import polars as pl

from headway.data.dataset import Column
from headway.data.keys import empty_rows, input_keys


def test_texts_are_the_same_after_normalisation_and_numbers_by_value():
    rows = pl.DataFrame({"t": ["A b", "ａ  B", "a b", None], "n": [1.0, 1.0, 2.0, None]})
    keys = input_keys(rows, [Column("t", "text"), Column("n", "number")])
    assert keys[0] == keys[1]
    assert len(set(keys.tolist())) == 3


def test_images_are_the_same_by_their_bytes(tmp_path):
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "b.png").write_bytes(b"one")
    (tmp_path / "c.png").write_bytes(b"two")
    rows = pl.DataFrame({"i": [str(tmp_path / f"{name}.png") for name in "abc"]})
    keys = input_keys(rows, [Column("i", "image")])
    assert keys[0] == keys[1] != keys[2]


def test_a_row_is_empty_when_all_its_inputs_are():
    rows = pl.DataFrame({"t": [" ", "x", None], "n": [None, None, 1.0]})
    assert empty_rows(rows, [Column("t", "text"), Column("n", "number")]).tolist() == [True, False, False]
