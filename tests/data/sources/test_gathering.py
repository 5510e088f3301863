import numpy as np
import polars as pl

from headway.data.cleaning import clean
from headway.data.dataset import Column
from headway.data.profiling import count_rows
from headway.data.reading import read
from headway.data.sources.delimited import scan_delimited
from headway.data.sources.gathering import gather
from headway.data.sources.part import Part
from headway.project.schema import Reading


def parts(count, rows=1000):
    for number in range(count):
        records = np.arange(number * rows, (number + 1) * rows)
        yield Part("x", pl.DataFrame({"n": records, "text": [f"row {i} of many" for i in records]}), records, read=rows)


def test_what_fits_is_kept_whole():
    found = gather(parts(20), limit=2**30)
    assert (found.frame.height, found.read, found.left_out) == (20_000, 20_000, 0)


def test_what_does_not_fit_is_sampled_evenly_and_always_alike():
    found, again = gather(parts(100), limit=10**6), gather(parts(100), limit=10**6)
    assert found.frame.estimated_size() <= 10**6
    assert found.frame.height + found.left_out == found.read == 100_000
    assert found.frame.equals(again.frame)
    assert found.frame["n"].to_list() == found.records.tolist()
    early = (found.records < 50_000).mean()
    assert 0.45 < early < 0.55


def test_a_csv_beyond_the_limit_is_read_as_a_sample_and_said_so(tmp_path):
    lines = [f"some words about number {i},{i % 2}" for i in range(60_000)]
    (tmp_path / "a.csv").write_text("text,y\n" + "\n".join(lines) + "\n")
    table = read("a.csv", folder=tmp_path, memory=1)
    assert 1000 < table.rows.height < 40_000
    assert table.read == 60_000
    found = clean(table, target="y", inputs=(Column("text", "text"),), task="classify")
    assert "sampled" in {finding.code for finding in found.findings}
    counts = count_rows(table, found)
    assert counts["rejected"] == 0
    assert counts["left_out"] == table.left_out > 0


def test_parquet_and_json_lines_are_sampled_too(tmp_path):
    frame = pl.DataFrame({"text": [f"some words about number {i}" for i in range(100_000)], "y": [0, 1] * 50_000})
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    for name in ("a.parquet", "a.jsonl"):
        table = read(name, folder=tmp_path, memory=1)
        assert 1000 < table.rows.height < 60_000
        assert table.rows.height + table.left_out == 100_000


def test_blocks_of_a_csv_are_gathered_whole(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 1000)
    found = gather(scan_delimited(tmp_path / "a.csv", Reading(), block=100), limit=2**30)
    assert found.records.tolist() == list(range(2, 1002))
