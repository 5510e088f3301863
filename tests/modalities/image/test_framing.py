import numpy as np
import pytest
from PIL import Image

from headway.errors import DataError
from headway.modalities.image.framing import Frame, frame_for, frame_from
from tests.modalities.image.pictures import png


def grey(height, width):
    return png(np.random.default_rng(0).integers(0, 255, (height, width)).astype(np.uint8))


def test_small_images_keep_their_size():
    assert frame_for([grey(28, 20)] * 3, longest=96) == Frame(20, 28, "L")


def test_large_images_are_scaled_to_the_longest_side():
    assert frame_for([grey(100, 200)], longest=64) == Frame(64, 32, "L")


def test_grey_images_saved_in_colour_are_read_as_grey():
    colour = np.repeat(np.random.default_rng(0).integers(0, 255, (9, 9, 1)), 3, axis=2).astype(np.uint8)
    assert frame_for([png(colour)], longest=64).mode == "L"
    colour[:, :, 0] = 255 - colour[:, :, 0]
    assert frame_for([png(colour)], longest=64).mode == "RGB"


def test_missing_and_broken_images_are_passed_over(tmp_path):
    Image.new("L", (7, 5)).save(tmp_path / "good.png")
    assert frame_for([None, b"no image", str(tmp_path / "good.png"), ""], longest=64) == Frame(7, 5, "L")


def test_no_readable_image_is_an_error():
    with pytest.raises(DataError, match="no image could be read"):
        frame_for([b"no image", None], longest=64)


def test_a_frame_travels_through_settings():
    frame = Frame(20, 30, "RGB")
    assert frame_from(frame.settings) == frame
    assert frame_from({"epochs": 3}) is None
    assert frame_from(None) is None


def test_equal_frames_of_a_column_share_the_name_of_their_feed():
    assert Frame(20, 30, "RGB").feed("photo").name == "image:photo:20x30:RGB"
