"""Changes that the critic sees real and drawn pictures through, so that few of them last longer (Zhao et al. 2020).

The gradient passes through them to the generator, which therefore does not draw what they leave behind.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# Shares of the sides.
SHIFT, HOLE = 0.125, 0.4


def changed(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Return `[n, colours, h, w]` pictures from -1 to 1, each shifted and with a grey hole, by its own chance."""
    return _with_hole(_shifted(pictures, generator), generator)


def _shifted(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures moved by up to an eighth of their sides, the edge repeated."""
    n, _, height, width = pictures.shape
    down, right = max(1, round(height * SHIFT)), max(1, round(width * SHIFT))
    padded = functional.pad(pictures, (right, right, down, down), mode="replicate")
    rows = torch.randint(0, 2 * down + 1, (n, 1, 1), generator=generator) + torch.arange(height)[:, None]
    columns = torch.randint(0, 2 * right + 1, (n, 1, 1), generator=generator) + torch.arange(width)
    # Channels stand last in memory: whole pixels are gathered.
    moved = padded.permute(0, 2, 3, 1)[torch.arange(n)[:, None, None], rows, columns]
    return moved.permute(0, 3, 1, 2)


def _with_hole(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures with a rectangle of grey in half of them."""
    n, _, height, width = pictures.shape
    top = torch.rand((n, 1, 1), generator=generator) * (1 + HOLE) - HOLE
    left = torch.rand((n, 1, 1), generator=generator) * (1 + HOLE) - HOLE
    spared = torch.rand((n, 1, 1), generator=generator) < 0.5
    y, x = (torch.arange(height) / height)[:, None], torch.arange(width) / width
    kept = (y < top) | (y >= top + HOLE) | (x < left) | (x >= left + HOLE) | spared
    return pictures * kept[:, None]
