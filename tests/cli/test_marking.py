import codecs

import polars as pl
import pytest

from headway.cli.answers import open_sink, write_answers
from headway.data.reading import read
from headway.data.streaming import scan_batches

MARK = codecs.BOM_UTF8


def written(path, *batches):
    with open_sink(path) as sink:
        for batch in batches:
            sink(pl.DataFrame(batch))
    return path.read_bytes()


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
@pytest.mark.parametrize(
    "batches",
    [
        [{"text": ["很好"]}],
        [{"文本": ["good"]}],
        [{"text": ["good"]}, {"text": ["很好"]}, {"text": ["fine"]}],
        [{"text": ["很好"]}, {"text": ["很好"]}],
    ],
)
def test_a_table_that_is_not_all_ascii_is_marked_once_for_spreadsheets(tmp_path, name, batches):
    content = written(tmp_path / name, *batches)
    assert content.startswith(MARK)
    assert content.count(MARK) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]
    frames = [*scan_batches(tmp_path / name)]
    (column,) = frames[0].columns
    assert column == next(iter(batches[0]))
    assert pl.concat(frames)[column].to_list() == [cell for batch in batches for cell in batch[column]]
    assert column in read(str(tmp_path / name)).rows.columns


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", "good"), ("a.tsv", "good"), ("a.jsonl", "很好"), ("a.ndjson", "很好")]
)
def test_other_files_have_no_mark(tmp_path, name, text):
    assert not written(tmp_path / name, {"text": [text]}).startswith(MARK)


def test_the_terminal_gets_no_mark(model, capfdbinary):
    write_answers([pl.DataFrame({"a": [1.0], "b": [1.0], "名": ["甲"]})], model, None)
    assert capfdbinary.readouterr().out.startswith("a,b,名".encode())


def test_words_of_a_closed_list_are_looked_at_too(tmp_path):
    frame = pl.DataFrame({"kind": pl.Series(["甲", "乙"], dtype=pl.Categorical)})
    assert written(tmp_path / "a.csv", frame).startswith(MARK)
