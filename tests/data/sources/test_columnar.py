from decimal import Decimal

import polars as pl
import pytest

from headway.data.sources.columnar import read_parquet, scan_parquet
from headway.errors import DataError


def test_types_are_kept_and_nested_ones_become_text(tmp_path):
    frame = pl.DataFrame(
        {
            "n": [1, 2],
            "c": pl.Series(["x", "y"], dtype=pl.Categorical),
            "l": [[1], [2, 3]],
            "d": [Decimal("1.5"), Decimal("2.5")],
            "image": [{"bytes": b"\x89", "path": None}, {"bytes": b"\x90", "path": None}],
        }
    )
    frame.write_parquet(tmp_path / "data.parquet")
    found = read_parquet(tmp_path / "data.parquet").frame
    assert found.rows() == [(1, "x", "[1]", 1.5, b"\x89"), (2, "y", "[2, 3]", 2.5, b"\x90")]


def test_batches_have_the_wanted_size(tmp_path):
    pl.DataFrame({"n": range(1000)}).write_parquet(tmp_path / "data.parquet", row_group_size=300)
    found = list(scan_parquet(tmp_path / "data.parquet", 128))
    assert max(frame.height for frame in found) <= 128
    assert pl.concat(found)["n"].to_list() == list(range(1000))


def test_a_damaged_file_is_an_error(tmp_path):
    (tmp_path / "data.parquet").write_bytes(b"PAR1 this is not parquet")
    with pytest.raises(DataError, match="damaged"):
        read_parquet(tmp_path / "data.parquet")
    with pytest.raises(DataError, match="damaged"):
        list(scan_parquet(tmp_path / "data.parquet", 10))
