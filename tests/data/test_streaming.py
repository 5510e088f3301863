import tracemalloc

import polars as pl
import pytest
from PIL import Image

from headway.data.reading import read
from headway.data.sources.images import read_unlabelled_images
from headway.data.sources.part import REASON
from headway.data.streaming import rows_in_place, scan_batches, with_rejected
from headway.errors import DataError
from headway.project.schema import Reading


def test_every_format_gives_the_same_rows_in_batches(tmp_path):
    frame = pl.DataFrame({"text": [f"文字 {i}" for i in range(1000)], "code": [f"{i:05d}" for i in range(1000)]})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_csv(tmp_path / "a.tsv", separator="\t")
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    for name in ("a.csv", "a.tsv", "a.parquet", "a.jsonl"):
        batches = list(scan_batches(tmp_path / name, rows=300))
        assert [batch.height for batch in batches] == [300, 300, 300, 100]
        assert pl.concat(batches).equals(frame)


def test_cells_are_as_in_the_file(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n 1.50 ,NA\n?,\n")
    assert pl.concat(scan_batches(tmp_path / "a.csv")).rows() == [(" 1.50 ", "NA"), ("?", None)]


def test_the_dialect_and_the_encoding_are_found(tmp_path):
    (tmp_path / "a.csv").write_bytes("名字;分\n甲;1\n乙;2\n".encode("gb18030"))
    assert next(scan_batches(tmp_path / "a.csv")).columns == ["名字", "分"]


def test_a_bad_record_stops_or_is_handed_on(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n4,5\n6,7\n")
    with pytest.raises(DataError, match="row 3"):
        list(scan_batches(tmp_path / "a.csv"))
    bad = []
    found = pl.concat(scan_batches(tmp_path / "a.csv", on_reject=bad.append))
    assert found.columns == ["a", "b", REASON]
    assert found.rows() == [
        ("1", "2", None),
        ("3", None, "1 fields where 2 were expected"),
        ("4", "5", None),
        ("6", "7", None),
    ]
    assert [reject.row for reject in bad] == [3]


def test_a_damaged_line_of_json_keeps_its_place(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": \n{"a": 3}\n')
    found = pl.concat(scan_batches(tmp_path / "a.jsonl", on_reject=print))
    assert found["a"].to_list() == [1, None, 3]
    assert found[REASON].is_null().to_list() == [True, False, True]


def test_rejected_rows_of_several_files_and_images_have_their_places(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n4,5\n6,7\n")
    (tmp_path / "b.csv").write_text("a,b\n9\n8,8\n5,5\n4,4\n")
    found = rows_in_place(read("*.csv", folder=tmp_path, max_rejected=1.0))
    assert found["a"].to_list() == ["1", None, "4", "6", None, "8", "5", "4"]
    (tmp_path / "images").mkdir()
    for name in ("1.png", "3.png"):
        Image.new("L", (4, 4)).save(tmp_path / "images" / name)
    (tmp_path / "images" / "2.png").write_bytes(b"no image")
    part = read_unlabelled_images(tmp_path / "images")
    assert part is not None
    placed = with_rejected(part)
    assert [path[-5:] for path in placed["image"]] == ["1.png", "2.png", "3.png"]
    assert placed[REASON].is_null().to_list() == [True, False, True]


def test_a_header_alone_still_tells_the_columns(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n")
    (found,) = scan_batches(tmp_path / "a.csv", reading=Reading(header=True))
    assert (found.columns, found.height) == (["a", "b"], 0)


def test_missing_and_empty_files_are_errors(tmp_path):
    (tmp_path / "a.csv").touch()
    with pytest.raises(DataError, match="no such file"):
        next(scan_batches(tmp_path / "b.csv"))
    with pytest.raises(DataError, match="empty"):
        next(scan_batches(tmp_path / "a.csv"))


def test_memory_does_not_grow_with_the_file(tmp_path):
    line = b"some words in a row,12345\n"
    peaks = []
    for times in (40, 120):
        with (tmp_path / "a.csv").open("wb") as file:
            file.write(b"text,n\n")
            for _ in range(times):
                file.write(line * 40_000)
        tracemalloc.start()
        assert sum(batch.height for batch in scan_batches(tmp_path / "a.csv")) == times * 40_000
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.3
