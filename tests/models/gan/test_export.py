import numpy as np
import pytest
import torch

from headway.models.gan.export import exported
from headway.models.gan.network import Generator
from headway.models.gan.training import draw
from headway.runtime.session import open_session


@pytest.mark.parametrize(("labels", "side", "colours"), [(3, 8, 1), (1, 11, 3)])
def test_the_graph_draws_the_same_pictures(labels, side, colours):
    torch.manual_seed(0)
    generator = Generator((16, 8), noise=6, labels=labels, width=side, height=side + 1, colours=colours)
    for _ in range(3):  # so that the norms have something to say
        generator(torch.randn(8, 6) * 2, torch.zeros(8, dtype=torch.int64))
    noise, places = torch.randn(5, 6), np.arange(5) % labels
    given = {"noise": noise.numpy(), **({"label": places} if labels > 1 else {})}
    drawn = open_session(exported(generator.eval()), threads=1).run(["pixels"], given)[0]
    assert drawn.shape == (5, side + 1, side, colours)
    assert np.abs(drawn.astype(int) - draw(generator, noise, places)).max() <= 1
