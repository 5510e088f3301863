import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from headway.bases.base import Base
from headway.bases.efficientnet import EfficientNetLite
from headway.bases.loading import load_image_encoder
from headway.encoders.images.backbone import PIXELS, open_backbone, size_for, translated
from headway.errors import TrainingError
from headway.modalities.image.framing import Frame
from headway.modalities.table.session import run
from tests.encoders.tiny_images import KINDS, tiny_image_base

PREPARED = np.random.default_rng(0).normal(0, 1, (3, 3, 32, 32)).astype(np.float32)


def own():
    """EfficientNet-Lite0 with random weights and statistics, so that folding its norms away matters."""
    torch.manual_seed(0)
    network = EfficientNetLite()
    for name, buffer in network.named_buffers():
        if name.endswith(("mean", "var")):
            buffer.uniform_(0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_of_transformers_is_translated_as_it_is(tmp_path, kind):
    base = tiny_image_base(tmp_path, kind)
    backbone = open_backbone(base)
    with torch.inference_mode():
        wanted = load_image_encoder(base)(torch.from_numpy(PREPARED)).numpy()
    (found,) = run(backbone.onnx, {PIXELS: PREPARED})
    assert backbone.width == wanted.shape[1]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_our_own_encoder_is_translated_by_hand():
    network = own()
    with torch.inference_mode():
        wanted = network(torch.from_numpy(PREPARED)).numpy()
    (found,) = run(translated(network, 32, name="own"), {PIXELS: PREPARED})
    assert wanted.std() > 0
    np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())


def test_a_translation_is_kept(tmp_path):
    base = tiny_image_base(tmp_path / "base")
    open_backbone(base, store=tmp_path / "store")
    (kept,) = (tmp_path / "store" / "graphs").glob("*.onnx")
    assert kept.name == f"{base.digest}-32-places.onnx"


def test_digits_are_not_blown_up_to_the_size_of_photos(tmp_path):
    base = tiny_image_base(tmp_path)
    own_base = Base(**{**vars(base), "architecture": "efficientnet_lite"})
    large = Base(**{**vars(own_base), "picture": base.picture.__class__(224, base.picture.mean, base.picture.std)})
    assert size_for(large, Frame(28, 28, "L")) == 128
    assert size_for(large, Frame(640, 480, "RGB")) == 224
    assert size_for(base, Frame(28, 28, "L")) == 32


def test_without_a_base_for_images_it_says_so():
    with pytest.raises(TrainingError, match="no base model for images"):
        open_backbone(None)
