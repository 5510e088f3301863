import pytest
import torch

from headway.models.gan.network import Critic, Generator


@pytest.mark.parametrize(("width", "height", "colours", "labels"), [(8, 8, 1, 3), (13, 10, 3, 1), (28, 28, 1, 10)])
def test_pictures_of_any_size_are_drawn_and_judged(width, height, colours, labels):
    levels = 3 if width > 16 else 2
    size = {"labels": labels, "width": width, "height": height, "colours": colours}
    generator, critic = Generator((16,) * levels, noise=5, **size), Critic((8,) * levels, **size)
    places = torch.zeros(4, dtype=torch.int64)
    pictures = generator(torch.randn(4, 5), places)
    assert pictures.shape == (4, colours, height, width)
    assert pictures.abs().max() <= 1
    assert critic(pictures, places).shape == (4,)


def test_the_class_changes_the_picture():
    torch.manual_seed(0)
    generator = Generator((16, 16), noise=5, labels=2, width=8, height=8, colours=1).eval()
    noise = torch.randn(1, 5)
    one, other = (generator(noise, torch.tensor([place])) for place in (0, 1))
    assert not torch.equal(one, other)
