import shutil

import polars as pl
import pytest
from PIL import Image

from headway.data.dataset import ROW
from headway.data.pictures import KIND, LABEL, clean_pictures, holds_pictures, infer_pictures, read_pictures
from headway.errors import DataError
from headway.project.schema import Cleaning, Reading
from tests.pipeline.pictures.material import write_pictures


def read(source, folder, **options):
    return read_pictures(source, folder=folder, reading=Reading(), cache=None, max_rejected=0.1, **options)


def test_a_folder_per_class_gives_classes(tmp_path):
    write_pictures(tmp_path / "pictures", rows=60)
    table = read("pictures", tmp_path)
    assert table.rows.columns == [ROW, "image", LABEL]
    cleaned = clean_pictures(table, Cleaning())
    assert cleaned.train.labels == ("bar 0", "bar 1", "bar 2")
    assert cleaned.train.task == "classify"
    assert [column.modality for column in infer_pictures(table).inputs] == ["image"]


def test_a_flat_folder_has_one_kind_and_repeated_pictures_count_once(tmp_path):
    write_pictures(tmp_path / "pictures", rows=50, flat=True)
    shutil.copy(tmp_path / "pictures" / "000.png", tmp_path / "pictures" / "again.png")
    (tmp_path / "pictures" / "broken.png").write_bytes(b"no picture")
    table = read("pictures", tmp_path)
    assert table.rows[LABEL].unique().to_list() == [KIND]
    assert table.rejected.height == 1
    cleaned = clean_pictures(table, Cleaning())
    assert len(cleaned.train) == 50
    assert cleaned.train.labels == ()
    assert set(cleaned.train.y.tolist()) == {0}


def test_a_table_names_pictures_and_perhaps_their_class(tmp_path):
    write_pictures(tmp_path / "pictures", rows=48)
    paths = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "pictures").rglob("*.png"))
    kinds = ["odd" if number % 2 else "even" for number in range(48)]
    pl.DataFrame({"photo": paths, "kind": kinds, "note": kinds}).write_csv(tmp_path / "table.csv")
    inputs = {"photo": "image"}
    assert read("table.csv", tmp_path, inputs=inputs).rows.columns == [ROW, "photo", LABEL]
    assert read("table.csv", tmp_path, inputs=inputs, target="kind").rows["kind"].n_unique() == 2
    with pytest.raises(DataError, match="kinds"):
        read("table.csv", tmp_path, inputs=inputs, target="kinds")


def test_what_holds_pictures_is_told_from_what_does_not(tmp_path):
    write_pictures(tmp_path / "pictures", rows=2)
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "pictures")
    (tmp_path / "text.txt").write_text("Once upon a time")
    Image.new("L", (4, 4)).save(tmp_path / "one.png")
    assert all(holds_pictures(each, tmp_path) for each in ("pictures", "packed.zip", "one.png", "pictures/*/*.png"))
    assert not any(holds_pictures(each, tmp_path) for each in ("text.txt", "absent", "sqlite:///a.db", "absent.zip"))
