import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from headway.data.dataset import ROW
from headway.data.reading import blank_missing, locate, read
from headway.errors import DataError
from headway.project.schema import Reading


def test_rows_are_numbered_and_markers_of_missing_values_are_null(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,?\n NA ,ok\n3,None\n")
    table = read("a.csv", folder=tmp_path)
    assert table.rows.rows() == [(0, "1", None), (1, None, "ok"), (2, "3", None)]
    assert table.rows.schema[ROW] == pl.UInt32
    assert table.read == 3


def test_a_glob_joins_files_in_order_and_every_row_can_be_located(tmp_path):
    (tmp_path / "2.csv").write_text("x,y\n5,d\n6,e\n")
    (tmp_path / "1.csv").write_text("y,x\n" + "a,1\n" * 9 + "b\nc,3\n")
    table = read("*.csv", folder=tmp_path)
    assert table.read == 13
    assert table.rows[ROW].to_list() == [*range(9), 10, 11, 12]
    assert table.rows["x"].to_list()[-3:] == ["3", "5", "6"]
    assert [locate(table, row)[1] for row in (0, 10, 11, 12)] == [2, 12, 2, 3]
    assert locate(table, 12)[0].endswith("2.csv")
    assert table.rejected.select("row", "value").rows() == [(11, "b")]


def test_files_with_other_columns_are_refused(tmp_path):
    (tmp_path / "1.csv").write_text("x,y\n1,a\n")
    (tmp_path / "2.csv").write_text("x,z\n1,a\n")
    with pytest.raises(DataError, match="differing in y, z"):
        read("*.csv", folder=tmp_path)


def test_more_than_a_tenth_rejected_stops_with_counted_reasons(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n" + "1,2\n" * 8 + "1\n2\n")
    with pytest.raises(DataError, match="2 of 10 records") as caught:
        read("a.csv", folder=tmp_path)
    assert "2 x 1 fields where 2 were expected" in caught.value.problems[0].got
    assert read("a.csv", folder=tmp_path, max_rejected=0.5).rows.height == 8


def test_a_missing_file_names_its_neighbour(tmp_path):
    (tmp_path / "reviews.csv").write_text("x\n1\n")
    with pytest.raises(DataError, match=r"did you mean reviews\.csv"):
        read("review.csv", folder=tmp_path)
    with pytest.raises(DataError, match="no file fits"):
        read("*.parquet", folder=tmp_path)
    (tmp_path / "here").mkdir()
    with pytest.raises(DataError, match=r"did you mean \.\./reviews\.csv"):
        read("../review.xlsx", folder=tmp_path / "here")
    with pytest.raises(DataError, match="relative paths"):
        read("房价.csv", folder=tmp_path)


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.tsv", "a.parquet", "a.xlsx"])
def test_a_file_of_no_bytes_is_an_error(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(DataError, match="empty"):
        read(name, folder=tmp_path)


def test_a_header_alone_is_an_error(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n")
    with pytest.raises(DataError, match="no rows"):
        read("a.csv", folder=tmp_path)


def test_a_zip_of_one_table_needs_no_name_and_of_several_does(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner/train.csv", "x,y\n1,a\n2,b\n")
        archive.writestr("__MACOSX/._train.csv", "junk")
    assert read("a.zip", folder=tmp_path).rows.height == 2
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("train.csv", "x,y\n1,a\n2,b\n")
        archive.writestr("test.csv", "x,y\n3,a\n")
    with pytest.raises(DataError, match="which table"):
        read("b.zip", folder=tmp_path)
    assert read("b.zip!test.csv", folder=tmp_path, cache=tmp_path / "cache").rows.height == 1
    with pytest.raises(DataError, match="no such part") as caught:
        read("b.zip!valid.csv", folder=tmp_path)
    assert "test.csv, train.csv" in caught.value.problems[0].expected


def draw(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (9, 9, 3), np.uint8)).save(path)


def test_parts_of_a_zip_of_images(tmp_path):
    with zipfile.ZipFile(tmp_path / "mri.zip", "w") as archive:
        for number, name in enumerate(
            ["Training/no/1.png", "Training/yes/2.png", "Testing/no/3.png", "Testing/yes/4.png"]
        ):
            draw(tmp_path / name, number)
            archive.write(tmp_path / name, name)
    table = read("mri.zip!Training", folder=tmp_path, cache=tmp_path / "cache")
    assert table.rows["label"].to_list() == ["no", "yes"]
    assert all(path.startswith(str(tmp_path / "cache")) for path in table.rows["image"])


def test_a_folder_of_images_with_a_table_that_names_them(tmp_path):
    draw(tmp_path / "houses" / "images" / "1.png")
    draw(tmp_path / "houses" / "images" / "2.png")
    (tmp_path / "houses" / "prices.csv").write_text("photo,price\nimages/1.png,100\nimages/2.png,200\n")
    table = read("houses", folder=tmp_path)
    assert table.rows.columns == [ROW, "photo", "price"]
    assert table.rows["photo"][1] == str(tmp_path / "houses" / "images" / "2.png")


def test_a_glob_of_images_takes_the_folder_as_label(tmp_path):
    for name in ("cat/1.png", "dog/2.png"):
        draw(tmp_path / name)
    assert read("*/*.png", folder=tmp_path).rows["label"].to_list() == ["cat", "dog"]


def test_blank_missing_leaves_other_cells_exactly_as_they_are():
    frame = pl.DataFrame({"a": [" x ", " null ", ""], "n": [1, 2, 3]})
    assert blank_missing(frame, Reading().missing).rows() == [(" x ", 1), (None, 2), (None, 3)]


def test_several_kinds_of_file_are_read_alike(tmp_path):
    frame = pl.DataFrame({"text": ["一个", "两个"], "n": [1, 2]})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    (tmp_path / "a.json").write_text(frame.write_json(), encoding="utf-8")
    for name in ("a.csv", "a.parquet", "a.jsonl", "a.json"):
        found = read(name, folder=tmp_path).rows
        assert found["text"].to_list() == ["一个", "两个"]
        assert found["n"].cast(pl.Int64).to_list() == [1, 2]


def test_a_database_named_like_a_file_is_told_its_url(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE reviews (text TEXT)")
    with pytest.raises(DataError, match="SQLite") as caught:
        read("shop.db", folder=tmp_path)
    assert caught.value.problems[0].fix == "sqlite:///shop.db"


def test_places_inside_an_archive_are_named_as_a_user_knows_them(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as packed:
        packed.writestr("a.csv", "x,y\n1,2\n")
        packed.writestr("b.csv", "x,y\n1,2\n")
    with pytest.raises(DataError) as caught:
        read("two.zip", folder=tmp_path)
    problem = caught.value.problems[0]
    assert problem.where == str(tmp_path / "two.zip")
    assert f"{tmp_path / 'two.zip'}!a.csv" in problem.fix
    assert read("two.zip!a.csv", folder=tmp_path).rows.height == 1


@pytest.mark.parametrize("folder", [Path(), Path("deep")])
def test_a_missing_file_says_where_relative_paths_start(folder, tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        read("nothere.csv", folder=folder)
    assert caught.value.problems[0].got == str(tmp_path / folder / "nothere.csv")
    assert ("the project file" in caught.value.problems[0].fix) == (folder != Path())


def test_an_address_of_the_web_is_refused_by_name():
    with pytest.raises(DataError, match="addresses of this kind") as caught:
        read("https://example.org/a.csv")
    assert "download it" in caught.value.problems[0].fix
