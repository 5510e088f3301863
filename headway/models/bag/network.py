"""The mean of embedded tokens and pairs, then a linear layer (Joulin et al. 2017), in PyTorch and as ONNX nodes."""

from __future__ import annotations

import numpy as np
import spox.opset.ai.onnx.v21 as op
import torch
from spox import Var
from torch import Tensor, nn

from headway.networks.nodes import embedding, integers, linear, masked_mean

EMBEDDED = 64
# Pairs share this many vectors by hashing (Joulin et al. 2017, section 2.2); vector 0 is for no pair.
BUCKETS = 50_000
_FACTOR = 1_000_003


class Bag(nn.Module):
    """Mean of token vectors beside mean of pair vectors, per column, and a linear layer over them."""

    def __init__(self, tokens: int, columns: int, width: int, dropout: float) -> None:
        super().__init__()
        self.tokens = nn.Embedding(tokens, EMBEDDED, padding_idx=0)
        self.pairs = nn.Embedding(BUCKETS, EMBEDDED, padding_idx=0)
        for table in (self.tokens, self.pairs):
            nn.init.normal_(table.weight, std=0.05)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(columns * 2 * EMBEDDED, width)

    def forward(self, *pairs: Tensor) -> Tensor:
        """Return outputs `[rows, width]` from ids and mask of each column in turn."""
        pooled = [self.pooled(ids, mask) for ids, mask in zip(pairs[::2], pairs[1::2], strict=True)]
        output: Tensor = self.head(self.dropout(torch.cat(pooled, 1)))
        return output

    def pooled(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return `[rows, 2 * embedded]`."""
        following = nn.functional.pad(ids[:, 1:], (0, 1))
        joined = nn.functional.pad(mask[:, 1:], (0, 1))
        buckets = ((ids * _FACTOR + following) % (BUCKETS - 1) + 1) * joined
        means = [
            (table(items) * kept[:, :, None]).sum(1) / kept.sum(1, keepdim=True).clamp(min=1)
            for table, items, kept in ((self.tokens, ids, mask), (self.pairs, buckets, joined))
        ]
        return torch.cat(means, 1)


def nodes(network: nn.Module, pairs: list[tuple[Var, Var]]) -> Var:
    """Return the outputs of a trained `Bag`."""
    assert isinstance(network, Bag)
    pooled = []
    for ids, mask in pairs:
        following, joined = _shifted(ids), _shifted(mask)
        mixed = op.mod(op.add(op.mul(ids, integers(_FACTOR)), following), integers(BUCKETS - 1))
        buckets = op.mul(op.add(mixed, integers(1)), joined)
        pooled.append(masked_mean(embedding(ids, network.tokens), mask))
        pooled.append(masked_mean(embedding(buckets, network.pairs), joined))
    return linear(op.concat(pooled, axis=1), network.head)


def _shifted(items: Var) -> Var:
    """Return what follows each position of `[rows, length]`, 0 after the last."""
    return op.slice(
        op.pad(items, integers([0, 0, 0, 1])), integers([1]), integers([np.iinfo(np.int64).max]), integers([1])
    )
