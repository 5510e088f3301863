import json

import polars as pl
import pytest

from headway.data.sources.json_records import read_json, read_json_lines, scan_json_lines
from headway.errors import DataError
from headway.project.schema import Reading

READING = Reading()


def write(folder, text, name="data.json"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_an_array_of_objects_keeps_types_and_all_keys(tmp_path):
    part = read_json(write(tmp_path, '[{"a": 1, "b": "x"}, {"a": 2.5, "c": true}]'), READING)
    assert part.frame.rows() == [(1.0, "x", None), (2.5, None, True)]
    assert part.frame.dtypes == [pl.Float64, pl.String, pl.Boolean]


def test_nested_and_mixed_cells_become_text(tmp_path):
    part = read_json(write(tmp_path, '[{"a": [1, 2], "b": 1}, {"a": {"k": "值"}, "b": "z"}]'), READING)
    assert part.frame.rows() == [("[1, 2]", "1"), ('{"k": "值"}', "z")]


def test_an_object_of_arrays_and_a_wrapped_array_are_tables(tmp_path):
    assert read_json(write(tmp_path, '{"a": [1, 2], "b": ["x", "y"]}'), READING).frame.rows() == [(1, "x"), (2, "y")]
    assert read_json(write(tmp_path, '{"n": 2, "data": [{"a": 1}, {"a": 2}]}'), READING).frame.rows() == [(1,), (2,)]


def test_json_lines_are_seen_whatever_the_name(tmp_path):
    part = read_json(write(tmp_path, '{"a": 1}\n{"a": 2}\n'), READING)
    assert part.frame.rows() == [(1,), (2,)]


def test_damaged_lines_are_rejected_with_their_row(tmp_path):
    part = read_json_lines(write(tmp_path, '{"a": 1}\n{"a": \n[1]\n{"a": 4}\n'), READING)
    assert part.frame.rows() == [(1,), (4,)]
    assert [(reject.row, reject.value) for reject in part.rejected] == [(2, '{"a": '), (3, "[1]")]
    assert part.records.tolist() == [1, 4]


def test_an_element_that_is_no_object_is_rejected(tmp_path):
    part = read_json(write(tmp_path, '[{"a": 1}, 7]'), READING)
    assert [(reject.row, reject.reason) for reject in part.rejected] == [(2, "not a JSON object")]


@pytest.mark.parametrize("text", ["", "  \n", "[1, 2", '"just text"', '{"a": [1], "b": [1, 2]}', "[" * 100_000])
def test_what_is_no_table_is_an_error(tmp_path, text):
    with pytest.raises(DataError):
        read_json(write(tmp_path, text), READING)


def test_lines_come_in_parts_of_bounded_size(tmp_path):
    path = write(tmp_path, "".join(json.dumps({"a": i}) + "\n" for i in range(300_000)), "data.jsonl")
    parts = list(scan_json_lines(path, READING, block=2**20))
    assert len(parts) > 2
    assert pl.concat(part.frame for part in parts)["a"].to_list() == list(range(300_000))
    assert parts[1].records[0] == parts[0].records[-1] + 1


# Cut in the middle of a character, whole ones, and a backslash before what only looks like an escape.
HALVES = r'{"a": "x\ud83d", "b": "\uDE00y\ud83d\ude00 \ud83d\ud83d\uDE00", "c": "\\ud83d 好"}'
WHOLE = ("x\ufffd", "\ufffdy😀 \ufffd😀", "\\ud83d 好")


@pytest.mark.parametrize("text", [f"{HALVES}\n{HALVES}\n", f"{HALVES}\nbroken\n{HALVES}\n", f"[{HALVES}, {HALVES}]"])
def test_half_a_character_stands_as_unreadable(tmp_path, text):
    assert read_json(write(tmp_path, text), READING).frame.rows() == [WHOLE, WHOLE]
