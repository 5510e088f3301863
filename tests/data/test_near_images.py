import io

import numpy as np
from PIL import Image

from headway.data.near_images import find_near_images


def picture(seed, size=96):
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (6, 6, 3), dtype=np.uint8))
    return coarse.resize((size, size), Image.Resampling.BICUBIC)


def encoded(image, kind="png", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def test_re_encoded_and_resized_copies_are_near_and_other_pictures_are_not():
    images = [
        encoded(picture(0)),
        encoded(picture(0), "jpeg", quality=70),
        encoded(picture(0, 140)),
        encoded(picture(1)),
        None,
    ]
    assert {tuple(pair) for pair in find_near_images(images).tolist()} == {(0, 1), (0, 2), (1, 2)}


def test_nearly_empty_pictures_are_not_taken_for_copies():
    def dot(x):
        pixels = np.zeros((64, 64), np.uint8)
        pixels[20:24, x : x + 4] = 255
        return encoded(Image.fromarray(pixels))

    assert find_near_images([dot(10), dot(40)]).tolist() == []


def test_paths_are_read_too(tmp_path):
    for name in ("a.png", "b.png"):
        picture(3).save(tmp_path / name)
    assert find_near_images([str(tmp_path / "a.png"), str(tmp_path / "b.png")]).tolist() == [[0, 1]]


def test_one_image_has_no_neighbour():
    assert find_near_images([encoded(picture(0)), None]).tolist() == []
