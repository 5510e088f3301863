"""The page resizes and flattens pictures to Pillow's very pixels."""

import numpy as np
import pytest

from headway.runtime.feeds import encode
from headway.runtime.manifest import ImageFeed
from tests.export.browser.node import needs_node, run_js

pytestmark = needs_node


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(28, 28), (64, 48), (7, 90), (31, 17), (5, 3)])
def test_pixels_are_pillows(mode, size):
    generator = np.random.default_rng(sum(size))
    picture = generator.integers(0, 256, (31, 64, 4), dtype=np.uint8)
    picture[:, :20, 3] = 255
    feed = ImageFeed("i", ("c",), width=size[0], height=size[1], mode=mode)
    expected = encode(feed, {"c": [picture]}, files={})["i"][0]
    image = {"width": 64, "height": 31, "data": picture.ravel().tolist()}
    given = {"image": image, "feed": {"width": size[0], "height": size[1], "mode": mode}}
    ours = run_js("prepare", "images.js", "return prepare(given.image, given.feed);", given)
    np.testing.assert_array_equal(np.array(ours).reshape(expected.shape), expected)
