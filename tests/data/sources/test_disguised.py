import gzip
import zipfile

import polars as pl
import pytest

from headway.data.reading import read
from headway.data.streaming import scan_batches
from headway.errors import DataError
from headway.report.translation import translate_error

TABLE = b"a,label\n1,x\n2,y\n"


def zipped(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x")


def make(folder, kind):
    """Write a file of some kind under a name that says nothing of it."""
    path = folder / "data.csv"
    if kind == "PDF":
        path.write_bytes(b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\n")
    elif kind == "old Office":
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))
    elif kind == "Excel":
        zipped(path, "[Content_Types].xml", "xl/workbook.xml")
    elif kind == "an Office":
        zipped(path, "[Content_Types].xml", "word/document.xml")
    elif kind == "zip archive":
        zipped(path, "data.csv")
    elif kind == "damaged zip":
        path.write_bytes(b"PK\x03\x04junk")
    elif kind == "Parquet":
        pl.DataFrame({"a": [1], "label": ["x"]}).write_parquet(path)
    else:
        path.write_bytes(gzip.compress(TABLE))
    return path


@pytest.mark.parametrize(
    "kind", ["PDF", "old Office", "Excel", "an Office", "zip archive", "damaged zip", "Parquet", "gzip"]
)
def test_a_file_that_is_no_text_is_told_with_the_next_step(tmp_path, kind):
    path = make(tmp_path, kind)
    for reader in (lambda: read(str(path)), lambda: [*scan_batches(path)]):
        with pytest.raises(DataError, match="this is no table of text") as caught:
            reader()
        problem = caught.value.problems[0]
        assert kind in problem.got
        for part in (problem.what, problem.expected, problem.got, problem.fix):
            assert translate_error(part, "zh") != part


def test_what_its_ending_says_is_read_as_before(tmp_path):
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(TABLE))
    (tmp_path / "data.csv").write_bytes(TABLE)
    for name in ("data.csv.gz", "data.csv"):
        assert read(str(tmp_path / name)).rows.height == 2
        assert next(scan_batches(tmp_path / name)).height == 2
