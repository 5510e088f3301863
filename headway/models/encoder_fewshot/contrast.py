"""Learn by comparison: texts of one label come near to each other and to their label, and away from all others.

Pairs are those of a batch, and of each text with each label: they are formed where they are used and never kept, so
that `n` texts cost `n * (batch + labels)` comparisons an epoch and not `n^2` (Khosla et al. 2020, "Supervised
contrastive learning", eq. 2; Zhang et al. 2022, "Label anchored contrastive learning").
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headway.encoders.tuned import Tuned
from headway.models.encoder_frozen.heads import Head
from headway.models.encoder_frozen.lens import Lens

# How sharply texts of a batch are told apart, and what that counts beside the comparison with the labels.
HEAT, SHARE = 0.1, 0.5
_NEVER = -1e9


class Contrast(nn.Module):
    """Upper layers that learn, seen through a lens, and a line of logits that starts from a solved head."""

    def __init__(self, tuned: Tuned, lens: Lens, head: Head, *, smoothing: float = 0.0) -> None:
        """Take over `tuned`, whose pooled outputs have length 1; its own head becomes `head`."""
        super().__init__()
        self.tuned = tuned
        self.smoothing = smoothing
        self.register_buffer("centre", torch.from_numpy(lens.centre.copy()))
        with torch.no_grad():
            tuned.head.weight.copy_(torch.from_numpy(head.weights.T.astype(np.float32)))
            tuned.head.bias.copy_(torch.from_numpy(head.bias.astype(np.float32)))

    def forward(self, *arguments: Tensor) -> Tensor:
        """Return logits `[rows, labels]`; while it learns, the likenesses `[rows, rows]` of the batch beside them."""
        assert isinstance(self.centre, Tensor)
        seen = functional.normalize(self.tuned.pooled(*arguments) - self.centre, dim=-1)
        logits: Tensor = self.tuned.head(self.tuned.dropout(seen))
        return torch.cat([logits, seen @ seen.T / HEAT], 1) if self.training else logits

    def row_loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the loss of each row: of its label's logit, and of its likeness to the texts of its label."""
        labels = self.tuned.head.out_features
        loss = functional.cross_entropy(outputs[:, :labels], y, reduction="none", label_smoothing=self.smoothing)
        if outputs.shape[1] == labels:
            return loss
        return loss + SHARE * paired(outputs[:, labels:], y)

    def height(self, parameter: str) -> int:
        """Return how many layers stand between a parameter and the head, see `networks.optimizing.Layered`."""
        return self.tuned.height(parameter.removeprefix("tuned."))

    def is_begun(self, parameter: str) -> bool:
        """Tell whether a parameter is the encoder's or an adapter's, see `networks.mixout.Begun`."""
        return self.tuned.is_begun(parameter.removeprefix("tuned."))


def paired(likeness: Tensor, y: Tensor) -> Tensor:
    """Return for each row the mean surprise at its partners among the others, 0 where it has none."""
    itself = torch.eye(len(y), dtype=torch.bool, device=y.device)
    partners = (y[:, None] == y[None, :]) & ~itself
    logs = torch.log_softmax(likeness.masked_fill(itself, _NEVER), dim=1)
    return -(logs * partners).sum(1) / partners.sum(1).clamp(min=1)
