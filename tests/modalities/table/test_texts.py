import numpy as np
import polars as pl
import pytest

from headway.data.dataset import Column
from headway.modalities.table.features import fit_features, transform

INPUTS = (Column("note", "text"),)
TARGETS = np.eye(2)[np.arange(60) % 2]


def test_texts_about_the_same_thing_lie_close_together():
    notes = ["the room was lovely and clean", "房间很旧很脏"] * 30
    features, matrix = fit_features(pl.DataFrame({"note": notes}), INPUTS, TARGETS, style="plain", seed=0)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    assert unit[0] @ unit[2] > 0.99
    assert abs(unit[0] @ unit[1]) < 0.3
    new = transform(features, pl.DataFrame({"note": ["a lovely, clean room"]}))[0]
    assert new @ matrix[0] > new @ matrix[1]


@pytest.mark.parametrize("notes", [[None] * 60, [""] * 60, [f"{chr(0x4E00 + i)}" for i in range(60)], ["same"] * 60])
def test_texts_that_say_nothing_are_finite_and_keep_their_width(notes):
    rows = pl.DataFrame({"note": notes}, schema={"note": pl.String})
    features, matrix = fit_features(rows, INPUTS, TARGETS, style="scaled", seed=0)
    assert matrix.shape == (60, features.width)
    assert np.isfinite(matrix).all()
    assert np.isfinite(transform(features, pl.DataFrame({"note": ["never seen", None]}))).all()


def test_the_same_text_gets_the_same_numbers_in_any_company():
    notes = [f"note {i % 7} of {i % 5}" for i in range(60)]
    rows = pl.DataFrame({"note": notes})
    features, matrix = fit_features(rows, INPUTS, TARGETS, style="scaled", seed=0)
    alone = np.concatenate([transform(features, rows[i : i + 1]) for i in range(10)])
    np.testing.assert_allclose(alone, matrix[:10], atol=1e-4)
