import numpy as np
import onnxruntime
import pytest
from spox import build

from headway.modalities.image.framing import Frame
from headway.modalities.image.pixels import image_argument, standard_of, standardised


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_nodes_standardise_every_channel(mode):
    frame = Frame(6, 5, mode)
    channels = 1 if mode == "L" else 3
    pixels = np.random.default_rng(0).integers(0, 200, (50, 5, 6, channels)).astype(np.uint8)
    var = image_argument(frame)
    model = build({"x": var}, {"out": standardised(var, standard_of((pixels,)))})
    out = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": pixels})[0]
    assert out.shape == (50, channels, 5, 6)
    np.testing.assert_allclose(out.mean((0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(out.std((0, 2, 3)), 1, atol=1e-4)


def test_black_images_give_no_division_by_zero():
    assert standard_of((np.zeros((3, 4, 4, 1), np.uint8),)).deviation == (1.0,)
