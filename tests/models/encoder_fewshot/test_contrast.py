import numpy as np
import pytest
import torch

from headway.encoders.opening import open_encoder
from headway.encoders.tuned import Tuned
from headway.models.encoder_fewshot.contrast import Contrast, paired
from headway.models.encoder_frozen.heads import Head
from headway.models.encoder_frozen.lens import Lens
from tests.encoders.tiny import tiny_base

Y = torch.tensor([0, 1, 0, 2, 0])


def test_the_loss_of_a_row_is_its_mean_surprise_at_rows_of_its_label():
    likeness = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    losses = paired(likeness, Y)
    others = torch.tensor([1, 2, 3, 4])
    shares = torch.log_softmax(likeness[0, others], 0)
    torch.testing.assert_close(losses[0], -(shares[1] + shares[3]) / 2)
    assert losses[1] == losses[3] == 0


@pytest.fixture
def contrast(tmp_path):
    encoder = open_encoder(tiny_base(tmp_path / "bert"), normalise=True)
    tuned = Tuned(encoder, depth=1, method="layers", columns=1, width=3)
    generator = np.random.default_rng(0)
    lens = Lens(generator.normal(0, 0.1, 32).astype(np.float32))
    return Contrast(tuned, lens, Head(generator.normal(size=(32, 3)), np.arange(3.0))), lens


def test_it_starts_from_the_head_it_was_given(contrast):
    network, lens = contrast
    ids = torch.randint(4, 50, (5, 9), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    with torch.no_grad():
        seen = lens(network.tuned.pooled(ids, mask).numpy())
        expected = seen @ network.tuned.head.weight.numpy().T + np.arange(3)
        np.testing.assert_allclose(network.eval()(ids, mask).numpy(), expected, atol=1e-5)
        assert network.train()(ids, mask).shape == (5, 3 + 5)


def test_upper_layers_learn_from_the_comparison_alone(contrast):
    network, _ = contrast
    ids = torch.randint(4, 50, (5, 9), generator=torch.Generator().manual_seed(0))
    paired(network.train()(ids, torch.ones_like(ids))[:, 3:], Y).sum().backward()
    moved = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert any("layer.1" in name for name in moved)
    assert not any("layer.0" in name for name in moved)
    assert {network.height(name) for name in moved} == {0}
