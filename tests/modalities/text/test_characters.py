import numpy as np
import polars as pl

from headway.modalities.text.characters import BATCH, read_texts


def test_every_row_is_read_once_and_like_lengths_share_a_batch():
    cells = ["x" * (1 + index % 7) for index in range(2 * BATCH + 3)] + [None]
    texts = read_texts(pl.DataFrame({"note": cells}), "note")
    positions = np.concatenate([part for part, _ in texts.batches])
    assert sorted(positions) == list(range(texts.rows)) == list(range(len(cells)))
    for part, codes in texts.batches:
        assert [(row > 0).sum() for row in codes] == [len(cells[i] or "") for i in part]
    widths = [codes.shape[1] for _, codes in texts.batches]
    assert widths == sorted(widths)


def test_no_rows_make_no_batches():
    assert read_texts(pl.DataFrame({"note": []}, schema={"note": pl.String}), "note").batches == ()
