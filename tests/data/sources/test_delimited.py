import gzip
import lzma

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.sources import delimited, records
from headway.data.sources.delimited import read_delimited, scan_delimited
from headway.errors import DataError
from headway.project.schema import Reading

READING = Reading()


def write(folder, content, name="data.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def reasons(part):
    return [(reject.row, reject.reason) for reject in part.rejected]


def test_cells_are_text_as_in_the_file(tmp_path):
    part = read_delimited(write(tmp_path, "a,b\n001, x \n2.50,\n"), READING)
    assert part.frame.rows() == [("001", " x "), ("2.50", None)]
    assert (part.first, part.read, part.records.tolist()) == (2, 2, [2, 3])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_in_any_encoding(tmp_path, encoding):
    content = "标签,评论\n好,房间很大，床也很舒服\n坏,前台态度很差\n".encode(encoding)
    part = read_delimited(write(tmp_path, content), READING)
    assert part.frame.columns == ["标签", "评论"]
    assert part.frame.rows()[0] == ("好", "房间很大，床也很舒服")


def test_latin_1(tmp_path):
    part = read_delimited(write(tmp_path, "name,city\nJosé,Málaga\nZoë,Zürich\n".encode("latin-1")), READING)
    assert part.frame.rows() == [("José", "Málaga"), ("Zoë", "Zürich")]


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_compressed_files(tmp_path, suffix, pack):
    path = write(tmp_path, pack(b"a,b\n1,2\n"), "data.csv" + suffix)
    assert read_delimited(path, READING).frame.rows() == [("1", "2")]


def test_a_damaged_compressed_file_is_an_error(tmp_path):
    path = write(tmp_path, gzip.compress(b"a,b\n1,2\n" * 1000)[:-20], "data.csv.gz")
    with pytest.raises(DataError, match="damaged"):
        read_delimited(path, READING)


def test_a_decompression_bomb_is_stopped(tmp_path):
    path = write(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 20_000_000), "data.csv.gz")
    with pytest.raises(DataError, match="decompression bomb"):
        read_delimited(path, READING)


def test_malformed_lines_are_rejected_with_their_row(tmp_path):
    text = 'a,b\n1,2\n3\n4,5,6\n7,8\n"open,9\n10,11\n'
    part = read_delimited(write(tmp_path, text), READING)
    assert part.frame.rows() == [("1", "2"), ("7", "8"), ("10", "11")]
    assert part.records.tolist() == [2, 5, 7]
    assert reasons(part) == [
        (3, "1 fields where 2 were expected"),
        (4, "3 fields where 2 were expected"),
        (6, "a quote opens and never closes"),
    ]


def test_a_line_in_another_encoding_is_rejected(tmp_path):
    content = b"name,n\n" + "é,1\n".encode() * 30 + b"caf\xe9,2\n" + "ü,3\n".encode()
    part = read_delimited(write(tmp_path, content), READING)
    assert reasons(part) == [(32, "bytes that are not valid in the file's encoding")]
    assert part.frame.rows()[-1] == ("ü", "3")


@pytest.mark.parametrize("content", ["", "\n\n", "   \n"])
def test_an_empty_file_is_an_error(tmp_path, content):
    with pytest.raises(DataError, match="empty"):
        read_delimited(write(tmp_path, content), READING)


def test_a_header_alone_gives_no_rows(tmp_path):
    part = read_delimited(write(tmp_path, "text,label\n"), Reading(header=True))
    assert part.frame.columns == ["text", "label"]
    assert part.frame.height == 0


def test_a_field_beyond_every_limit_is_rejected_in_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "LONGEST_FIELD", 5000)
    monkeypatch.setattr(records, "LONGEST_FIELD", 5000)
    text = "a,b\n" + "1,2\n" * 100 + "x" * 4_000_000 + ",3\n" + "4,5\n" * 100
    path = write(tmp_path, text)
    parts = list(scan_delimited(path, READING, block=1000))
    assert sum(part.frame.height for part in parts) == 200
    found = [reject for part in parts for reject in part.rejected]
    assert [reject.row for reject in found] == [102]
    assert "longer than 5,000" in found[0].reason


def test_a_file_of_one_endless_field_gives_no_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "LONGEST_FIELD", 5000)
    part = read_delimited(write(tmp_path, "x" * 3_000_000), Reading(header=False))
    assert part.frame.height == 0 or len(part.rejected) == 1


rows = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=12),
        st.text(st.sampled_from('ab," \n'), max_size=8),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(20, 200))
def test_blocks_of_any_size_give_the_same_rows(tmp_path_factory, rows, block):
    quoted = ["{},{}".format(*('"' + cell.replace('"', '""') + '"' for cell in row)) for row in rows]
    path = tmp_path_factory.mktemp("blocks") / "data.csv"
    path.write_text('"first","second"\n' + "\n".join(quoted) + "\n", encoding="utf-8", newline="")
    reading = Reading(header=True, separator=",", encoding="utf-8")
    parts = list(scan_delimited(path, reading, block=block))
    found = [row for part in parts for row in part.frame.rows()]
    assert found == [tuple(cell or None for cell in row) for row in rows]
    assert not any(part.rejected for part in parts)
    assert [int(number) for part in parts for number in part.records] == list(range(2, 2 + len(rows)))
