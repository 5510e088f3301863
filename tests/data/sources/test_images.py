import numpy as np
import polars as pl
import pytest
from PIL import Image

from headway.data.sources.images import find_fault, read_image_folder, read_unlabelled_images, resolve_image_columns
from headway.data.sources.part import whole_part
from headway.errors import DataError


def draw(path, seed=0, size=(12, 10)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)).save(path)
    return path


def test_a_folder_per_class_in_a_fixed_order(tmp_path):
    for name in ("dog/2.png", "cat/b.jpg", "cat/a.png", "dog/sub/1.png"):
        draw(tmp_path / name)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    part = read_image_folder(tmp_path)
    assert part.frame["label"].to_list() == ["cat", "cat", "dog", "dog"]
    assert [path.rsplit("/", 1)[1] for path in part.frame["image"]] == ["a.png", "b.jpg", "2.png", "1.png"]


def test_a_folder_around_the_classes_does_not_matter(tmp_path):
    draw(tmp_path / "pets" / "cat" / "a.png")
    draw(tmp_path / "pets" / "dog" / "b.png")
    assert read_image_folder(tmp_path).frame["label"].to_list() == ["cat", "dog"]


def test_images_without_classes_are_read_without_labels(tmp_path):
    draw(tmp_path / "new" / "b.png")
    draw(tmp_path / "new" / "a.png")
    (tmp_path / "new" / "empty.png").write_bytes(b"")
    part = read_unlabelled_images(tmp_path / "new")
    assert part.frame.columns == ["image"]
    assert [path.rsplit("/", 1)[1] for path in part.frame["image"]] == ["a.png", "b.png"]
    assert [reject.reason for reject in part.rejected] == ["an empty file of 0 bytes"]
    assert read_unlabelled_images(tmp_path / "new" / "a.png").frame.height == 1
    assert read_unlabelled_images(tmp_path) is None


def test_unreadable_images_are_rejected_with_reasons(tmp_path):
    draw(tmp_path / "cat" / "good.png")
    whole = draw(tmp_path / "cat" / "cut.jpg", size=(400, 400)).read_bytes()
    (tmp_path / "cat" / "cut.jpg").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "cat" / "empty.jpg").write_bytes(b"")
    (tmp_path / "cat" / "fake.png").write_bytes(b"GIF? no")
    part = read_image_folder(tmp_path)
    assert part.frame.height == 1
    reasons = {reject.file.rsplit("/", 1)[1]: reject.reason for reject in part.rejected}
    assert reasons["empty.jpg"] == "an empty file of 0 bytes"
    assert "cannot be decoded" in reasons["cut.jpg"]
    assert "cannot be decoded" in reasons["fake.png"]


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr("headway.data.sources.images.MOST_PIXELS", 100)
    assert "12 pixels" in str(find_fault(draw(tmp_path / "a.png")))


def test_parts_with_the_same_classes_must_be_named(tmp_path):
    for part in ("Training", "Testing"):
        for label in ("cat", "dog"):
            draw(tmp_path / part / label / "a.png")
    with pytest.raises(DataError, match="several parts") as caught:
        read_image_folder(tmp_path)
    assert f"{tmp_path}/Testing" in caught.value.problems[0].fix


def test_a_folder_without_images_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no folder with images"):
        read_image_folder(tmp_path)


def test_paths_in_a_table_start_at_its_folder(tmp_path):
    draw(tmp_path / "photos" / "a.png")
    frame = pl.DataFrame({"photo": ["photos/a.png", "photos/a.png", "photos/gone.png", None], "y": [1, 2, 3, 4]})
    part = resolve_image_columns(whole_part("t.csv", frame, first=2), tmp_path)
    assert part.frame["photo"].to_list() == [str(tmp_path / "photos" / "a.png")] * 2 + [None]
    assert [(reject.row, reject.column, reject.reason) for reject in part.rejected] == [(4, "photo", "no such file")]
    assert part.records.tolist() == [2, 3, 5]
