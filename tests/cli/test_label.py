import codecs

import polars as pl
import pytest
from typer.testing import CliRunner

from headway.cli.app import make_app
from tests.encoders.tiny import sentences, tiny_base

TEXTS = [f"{text} room {number} was so {number * 7}" for number, text in enumerate(sentences(20, 3))]


@pytest.fixture
def place(tmp_path, monkeypatch):
    tiny_base(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_a_file_without_target_becomes_one_to_correct(place):
    pl.DataFrame({"review": TEXTS}).write_csv("new.csv")
    asked = ["label", "new.csv", "--labels", "good room,bad room", "--base", "./tiny", "--top", "5"]
    ran = CliRunner().invoke(make_app(), asked, catch_exceptions=False)
    assert ran.exit_code == 0
    assert "5 rows to correct" in ran.output
    assert "headway init to_label.csv --target label" in ran.output
    made = pl.read_csv("to_label.csv")
    assert set(made["label"]) <= {"good room", "bad room"}
    assert pl.read_csv("to_label.rest.csv").height == 15


def test_labels_and_files_of_chinese_texts(place):
    texts = [text.replace("room", "房间") for text in TEXTS]
    pl.DataFrame({"评论": texts}).write_csv("新.csv")
    asked = ["label", "新.csv", "--labels", "好的房间，坏的房间, good room", "--base", "./tiny", "--top", "5"]
    CliRunner().invoke(make_app(), asked, catch_exceptions=False)
    made = pl.read_csv("to_label.csv")
    assert made.columns[:2] == ["评论", "label"]
    assert set(made["label"]) <= {"好的房间", "坏的房间", "good room"}
    # A spreadsheet knows by this mark that the file is UTF-8.
    assert (place / "to_label.csv").read_bytes().startswith(codecs.BOM_UTF8)
    assert (place / "to_label.rest.csv").read_bytes().startswith(codecs.BOM_UTF8)


def test_files_of_english_texts_have_no_mark(place):
    texts = [text.encode("ascii", "ignore").decode() for text in TEXTS]
    pl.DataFrame({"review": texts}).write_csv("new.csv")
    asked = ["label", "new.csv", "--labels", "good room,bad room", "--base", "./tiny", "--top", "5"]
    CliRunner().invoke(make_app(), asked, catch_exceptions=False)
    assert (place / "to_label.csv").read_bytes().isascii()


def test_no_row_goes_without_a_word(place):
    lines = [f"{number},{text}" for number, text in enumerate(TEXTS)]
    lines[3], lines[7] = "3,", "7,"
    (place / "new.csv").write_text("\n".join(["id,review", *lines, "20,one,two"]) + "\n", encoding="utf-8")
    asked = ["label", "new.csv", "--labels", "good room,bad room", "--base", "./tiny", "--top", "5"]
    ran = CliRunner().invoke(make_app(), asked, catch_exceptions=False)
    assert "its last 2 rows have no text" in ran.output
    assert "set aside: 1 ×" in ran.output
    assert "new.csv, row 22)" in ran.output
    written = [pl.read_csv(name) for name in ("to_label.csv", "to_label.rest.csv")]
    assert sorted(number for part in written for number in part["id"]) == list(range(20))


def test_a_project_is_read_with_its_descriptions_and_its_columns_stay_out_of_a_run(place):
    pl.DataFrame({"review": TEXTS, "y": ["0", "1", *[None] * 18]}).write_csv("new.csv")
    describe = "descriptions: {0: a bad dirty room, 1: a good clean room}"
    (place / "headway.yaml").write_text(f"data: new.csv\ntarget: y\nbase: ./tiny\n{describe}\n", encoding="utf-8")
    ran = CliRunner().invoke(make_app(), ["label", "headway.yaml", "--lang", "zh"], catch_exceptions=False)
    assert "待修正" in ran.output
    from headway.data.inference import infer
    from headway.data.reading import read

    assert [column.name for column in infer(read("to_label.csv"), "y").inputs] == ["review"]


def test_a_file_that_is_there_is_kept(place):
    (place / "to_label.csv").write_text("kept")
    pl.DataFrame({"review": TEXTS}).write_csv("new.csv")
    ran = CliRunner().invoke(make_app(), ["label", "new.csv", "--labels", "a b,c d"])
    assert "there already" in str(ran.exception)
