import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from headway.errors import InputError
from headway.runtime.feeds import encode, images
from headway.runtime.manifest import ImageFeed

PICTURE = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


def pixels(cells, *, mode="L", width=6, height=4, strict=True):
    feed = ImageFeed("i", ("a",), width=width, height=height, mode=mode)
    return encode(feed, {"a": cells}, files={}, strict=strict)["i"]


def stored(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_paths_bytes_images_and_arrays_are_the_same_picture(tmp_path):
    image = Image.fromarray(PICTURE)
    (tmp_path / "a.png").write_bytes(stored(image))
    cells = [str(tmp_path / "a.png"), tmp_path / "a.png", stored(image), image, PICTURE, PICTURE[:, :, None]]
    rows = pixels(cells)
    assert rows.shape == (6, 4, 6, 1)
    assert rows.dtype == np.uint8
    assert (rows[..., 0] == PICTURE).all()
    assert (pixels(np.stack([PICTURE, PICTURE]))[1, :, :, 0] == PICTURE).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "MPO"])
def test_every_format_is_read(kind):
    picture = Image.new("RGB", (6, 4), (200, 30, 30))
    options = {"save_all": True, "append_images": [picture]} if kind == "MPO" else {}
    rows = pixels([stored(picture, kind, **options)], mode="RGB")
    np.testing.assert_allclose(rows[0].reshape(-1, 3), [(200, 30, 30)] * 24, atol=6)


def test_missing_images_are_black():
    assert not pixels([None, "", b""]).any()


def test_colours_sizes_and_many_rows():
    red = Image.new("RGB", (30, 20), (255, 0, 0))
    rows = pixels([stored(red)] * 20, mode="RGB", width=3, height=2)
    assert rows.shape == (20, 2, 3, 3)
    assert rows.reshape(-1, 3).tolist() == [[255, 0, 0]] * 120


def test_the_camera_s_rotation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter clockwise
    turned = stored(Image.fromarray(PICTURE), exif=exif)
    assert (pixels([turned], width=4, height=6)[0, :, :, 0] == np.rot90(PICTURE, -1)).all()


def test_transparent_parts_are_white_and_deep_greys_keep_their_upper_bits():
    assert (pixels([stored(Image.new("RGBA", (6, 4), (0, 0, 0, 0)))]) == 255).all()
    deep = Image.fromarray((PICTURE.astype(np.uint16) << 8) + 7)
    assert (pixels([stored(deep)])[0, :, :, 0] == PICTURE).all()


def test_a_large_jpeg_keeps_its_colours():
    large = stored(Image.new("RGB", (800, 600), (10, 200, 30)), "JPEG")
    assert np.abs(pixels([large], mode="RGB").astype(int) - [10, 200, 30]).max() < 6


@pytest.mark.parametrize(
    "cell", ["absent.png", b"no image", 7, np.zeros((2, 2)), stored(Image.fromarray(PICTURE))[:60]]
)
def test_an_unreadable_image_names_its_row(cell):
    with pytest.raises(InputError, match="row 2, column 'a'"):
        pixels([PICTURE, cell])
    assert not pixels([PICTURE, cell], strict=False)[1].any()


def test_a_decompression_bomb_is_refused(monkeypatch):
    bomb = stored(Image.new("1", (20_000, 10_000)))
    with pytest.raises(InputError, match="row 1"):
        pixels([bomb])
    monkeypatch.setattr(images, "MAX_PIXELS", 10)
    with pytest.raises(InputError, match="too many"):
        pixels([stored(Image.fromarray(PICTURE))])


@given(st.binary(max_size=40), st.integers(0, 200), st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"]))
def test_damaged_images_never_raise_anything_else(junk, position, kind):
    whole = stored(Image.fromarray(PICTURE), kind)
    damaged = whole[:position] + junk + whole[position + len(junk) :]
    with contextlib.suppress(InputError):
        assert pixels([damaged]).shape == (1, 4, 6, 1)
