import io
import json
import tracemalloc

import polars as pl
import pytest

from headway.cli import answers
from headway.cli.answers import name_members, write_answers
from headway.data.sources.part import REASON
from headway.data.streaming import scan_batches
from headway.errors import InputError


def batches(*, rows=7, size=3):
    frame = pl.DataFrame({"id": range(rows), "a": [float(n - 3) for n in range(rows)], "b": [0.5] * rows})
    return frame.iter_slices(size)


def read_back(path):
    readers = {".csv": pl.read_csv, ".jsonl": pl.read_ndjson, ".parquet": pl.read_parquet}
    return pl.read_csv(path, separator="\t") if path.suffix == ".tsv" else readers[path.suffix](path)


@pytest.mark.parametrize("name", ["答案.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_every_column_is_kept_and_the_answers_are_added(tmp_path, model, name):
    assert write_answers(batches(), model, tmp_path / name).rows == 7
    frame = read_back(tmp_path / name)
    assert frame.columns == ["id", "a", "b", "prediction", "confidence", "p_差评", "p_好评"]
    assert frame["id"].to_list() == list(range(7))
    assert frame["prediction"].to_list() == ["差评"] * 3 + ["好评"] * 4
    assert frame["confidence"].to_list() == pytest.approx(
        frame.select(pl.max_horizontal("p_差评", "p_好评")).to_series().to_list()
    )
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_terminal_gets_csv_with_one_header(model, monkeypatch):
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="utf-8"))
    write_answers(batches(), model, None)
    lines = out.getvalue().decode("utf-8").splitlines()
    assert lines[0].startswith("id,a,b,prediction")
    assert len(lines) == 8


def test_a_column_of_ours_in_the_input_is_an_error_and_leaves_no_file(tmp_path, model):
    frame = pl.DataFrame({"a": [1.0], "b": [1.0], "prediction": ["x"]})
    with pytest.raises(InputError, match="already have the column prediction"):
        write_answers([frame], model, tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_input_column_is_an_error(tmp_path, model):
    with pytest.raises(InputError, match="'b'") as caught:
        write_answers([pl.DataFrame({"a": [1.0], "B ": [2.0]})], model, tmp_path / "a.csv")
    assert caught.value.problems[0].got == "the columns 'a', 'B '"
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_a_line_of_names_is_told_so(tmp_path, model):
    (tmp_path / "new.csv").write_text("1.5,2.5\n3.5,4.5\n")
    with pytest.raises(InputError, match=r"does not name its columns(.|\n)*'a', 'b'(.|\n)*into its first line"):
        write_answers(scan_batches(tmp_path / "new.csv"), model, tmp_path / "a.csv")


def test_a_cell_that_cannot_be_read_counts_as_missing_and_is_told(tmp_path, model):
    frames = [pl.DataFrame({"a": ["1", "2"], "b": ["1", "2"]}), pl.DataFrame({"a": ["1", "many"], "b": ["1", "2"]})]
    written = write_answers(frames, model, tmp_path / "a.jsonl")
    assert written.rows == 4
    assert [cell.describe("en") for cell in written.unread.first] == ["row 4, column 'a': 'many'"]
    last = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()][-1]
    assert last["a"] == "many"
    assert last["prediction"] == "好评"


def test_all_bad_cells_are_counted_and_three_are_shown(tmp_path, model):
    frames = [pl.DataFrame({"a": ["x", "2", "y"], "b": ["1", "z", "NA"]}), pl.DataFrame({"a": ["x"], "b": ["x"]})]
    unread = write_answers(frames, model, tmp_path / "a.csv").unread
    assert unread.count == 5
    assert [(cell.row, cell.column, cell.value) for cell in unread.first] == [
        (1, "a", "'x'"),
        (2, "b", "'z'"),
        (3, "a", "'y'"),
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_rejected_row_keeps_its_place_without_an_answer(tmp_path, model, name):
    good = pl.DataFrame({"a": ["1", "4", "-5"], "b": ["0", None, "0"], REASON: [None, "2 fields", None]})
    bad = pl.DataFrame({"a": ["7"], "b": ["0"], REASON: ["2 fields"]})
    assert write_answers([bad, good], model, tmp_path / name).rows == 4
    frame = read_back(tmp_path / name)
    assert REASON not in frame.columns
    assert [str(a) for a in frame["a"]] == ["7", "1", "4", "-5"]
    assert frame["prediction"].to_list() == [None, "好评", None, "差评"]


def test_an_unpacked_image_has_its_name_in_the_archive(tmp_path):
    frame = pl.DataFrame({"image": [f"{tmp_path}/cats/1.png", "/other/2.png"], "n": [1, 2]})
    assert name_members(frame, tmp_path)["image"].to_list() == ["cats/1.png", "/other/2.png"]


@pytest.mark.parametrize(("name", "words"), [("a.xlsx", "cannot write this format"), ("no/a.csv", "no such folder")])
def test_where_it_cannot_write(tmp_path, model, name, words):
    with pytest.raises(InputError, match=words):
        write_answers(batches(), model, tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_memory_does_not_grow_with_the_rows(tmp_path, model, name):
    def peak(count):
        frame = pl.DataFrame({"a": [1.0] * 1000, "b": [2.0] * 1000})
        tracemalloc.start()
        write_answers((frame for _ in range(count)), model, tmp_path / name)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(60) < 1.5 * peak(10)


def test_an_empty_file_gives_an_empty_file(tmp_path, model):
    assert write_answers([], model, tmp_path / "a.parquet").rows == 0
    assert answers.FORMATS
