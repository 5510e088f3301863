import os

import numpy as np
import pytest
from PIL import Image

from headway.errors import InputError
from headway.modalities.image.decoding import DecodedImages
from headway.modalities.image.framing import Frame
from tests.modalities.image.pictures import png

FEED = Frame(4, 3, "L").feed("picture")


def picture(value):
    return png(np.full((3, 4), value, np.uint8))


def test_images_come_back_in_order_new_or_known():
    images = DecodedImages()
    images.read(FEED, [picture(1), picture(2)])
    again = images.read(FEED, [picture(2), picture(3), None, picture(1)])
    assert again[:, 0, 0, 0].tolist() == [2, 3, 0, 1]


def test_a_known_image_is_not_decoded_again(monkeypatch):
    images = DecodedImages()
    images.read(FEED, [picture(1)])
    monkeypatch.setattr(Image, "open", None)
    assert images.read(FEED, [picture(1)])[0, 0, 0, 0] == 1


def test_a_file_that_changed_is_read_again(tmp_path):
    images, path = DecodedImages(), tmp_path / "a.png"
    path.write_bytes(picture(1))
    images.read(FEED, [str(path)])
    path.write_bytes(picture(9))
    os.utime(path, ns=(1, 1))
    assert images.read(FEED, [str(path)])[0, 0, 0, 0] == 9


def test_the_memory_kept_is_limited():
    images = DecodedImages(limit=30)
    pixels = images.read(FEED, [picture(value) for value in range(10)])
    assert images.size == 24
    assert pixels[:, 0, 0, 0].tolist() == list(range(10))
    images.clear()
    assert images.size == 0


def test_a_cell_that_is_no_image_is_an_error():
    with pytest.raises(InputError):
        DecodedImages().read(FEED, [b"no image"])
