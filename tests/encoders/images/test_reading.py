import io

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from PIL import Image

from headway.compute.clock import Clock
from headway.encoders.images import reading
from headway.encoders.images.backbone import open_backbone
from headway.encoders.images.reading import content_key, count_unread, read_features, seconds_an_image
from headway.errors import InputError, TrainingError
from tests.encoders.tiny_images import tiny_image_base


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return open_backbone(tiny_image_base(tmp_path_factory.mktemp("base")))


def pictures(count, seed=0):
    generator = np.random.default_rng(seed)
    return [png(generator.integers(0, 255, (20, 24, 3)).astype(np.uint8)) for _ in range(count)]


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def mirror(content):
    return png(np.asarray(Image.open(io.BytesIO(content)))[:, ::-1])


def test_each_picture_is_encoded_once_wherever_it_lies(backbone, tmp_path, monkeypatch):
    cells = pictures(5)
    (tmp_path / "copy.png").write_bytes(cells[0])
    given = [*cells, str(tmp_path / "copy.png"), None, cells[1]]
    seen = []
    plain = reading._encode
    monkeypatch.setattr(
        reading,
        "_encode",
        lambda session, base, part, mirrored: seen.extend(part) or plain(session, base, part, mirrored=mirrored),
    )
    first = read_features(backbone, given, store=tmp_path / "store", clock=Clock())
    assert len(seen) == 6
    again = read_features(backbone, given[::-1], store=tmp_path / "store", clock=Clock())
    assert len(seen) == 6
    np.testing.assert_array_equal(again, first[::-1])
    np.testing.assert_array_equal(first[0], first[5])
    assert count_unread(backbone, [*given, *pictures(2, 9)], store=tmp_path / "store") == 2


def test_the_store_changes_no_feature(backbone, tmp_path):
    cells = pictures(6)
    np.testing.assert_allclose(
        read_features(backbone, cells, store=tmp_path, clock=Clock()),
        read_features(backbone, cells, store=None, clock=Clock()),
        atol=1e-6,
    )


def test_a_mirrored_image_has_the_same_mean_features(backbone):
    cells = pictures(3)
    left, right = (
        read_features(backbone, each, store=None, clock=Clock(), mirrored=True)
        for each in (cells, [mirror(cell) for cell in cells])
    )
    np.testing.assert_allclose(left, right, atol=0.02 * np.abs(left).max())
    assert np.abs(left - read_features(backbone, cells, store=None, clock=Clock())).max() > 0


def test_bad_cells_and_an_ended_clock_are_errors(backbone):
    with pytest.raises(InputError):
        read_features(backbone, [b"no image"], store=None, clock=Clock())
    with pytest.raises(InputError):
        read_features(backbone, ["nowhere.png"], store=None, clock=Clock())
    with pytest.raises(TrainingError, match="the time ended"):
        read_features(backbone, pictures(1), store=None, clock=Clock.after(-1))


def test_a_few_images_tell_how_long_one_takes(backbone):
    assert 0 < seconds_an_image(backbone, pictures(9)) < 10
    assert len(content_key(None)) == 16
