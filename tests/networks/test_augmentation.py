import numpy as np
import torch

from headway.networks.augmentation import Strength, augmented, strength_for

NONE = Strength(0, 0, 0, 0, 0, 0)


def picture():
    pixels = torch.zeros(1, 21, 21, 1, dtype=torch.uint8)
    pixels[0, 4:8, 8:13] = 200
    return pixels


def test_no_strength_changes_nothing():
    out = augmented(picture(), np.random.default_rng(0), NONE)
    torch.testing.assert_close(out, picture().float(), atol=1e-2, rtol=0)


def test_the_seed_decides():
    runs = [augmented(picture(), np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_nothing_is_mirrored():
    corner = torch.zeros(200, 21, 21, 1, dtype=torch.uint8)
    corner[:, :6, :6] = 200
    out = augmented(corner, np.random.default_rng(0), Strength(contrast=0, brightness=0))
    assert (out[:, :10, :10].mean((1, 2, 3)) > 2 * out[:, 11:, 11:].mean((1, 2, 3))).all()


def test_a_turn_keeps_circles_round_in_wide_images():
    rows, columns = torch.meshgrid(torch.arange(20), torch.arange(60), indexing="ij")
    disc = (((rows - 9.5) ** 2 + (columns - 29.5) ** 2 < 49) * 200).to(torch.uint8)[None, :, :, None]
    turned = augmented(disc, np.random.default_rng(3), Strength(1.5, 0, 0, 0, 0, 0))
    assert (turned - disc).abs().mean() < 3


def test_photos_are_changed_less_than_digits():
    assert strength_for(96, 72).rotation < strength_for(28, 28).rotation
