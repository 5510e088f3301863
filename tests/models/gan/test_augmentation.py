import torch

from headway.models.gan.augmentation import HOLE, SHIFT, changed


def seeded():
    return torch.Generator().manual_seed(0)


def test_a_shift_moves_the_whole_picture_by_an_eighth_at_most():
    pictures = torch.zeros(64, 1, 16, 16)
    pictures[:, :, 8, 8] = 1.0
    places = changed(pictures, seeded()).flatten(1).argmax(1)
    seen = changed(pictures, seeded()).flatten(1).max(1).values > 0  # some are under the hole
    rows, columns = places[seen] // 16, places[seen] % 16
    assert (rows - 8).abs().max() == round(16 * SHIFT)
    assert (columns - 8).abs().max() == round(16 * SHIFT)


def test_half_of_the_pictures_have_a_hole():
    grey = (changed(torch.ones(400, 3, 20, 20), seeded()) == 0).float().mean((1, 2, 3))
    assert 0.3 < float((grey > 0).float().mean()) < 0.6
    assert grey.max() <= HOLE**2 + 0.02


def test_the_gradient_passes():
    pictures = torch.rand(4, 1, 8, 8, requires_grad=True)
    changed(pictures, seeded()).sum().backward()
    assert pictures.grad.sum() > 0
