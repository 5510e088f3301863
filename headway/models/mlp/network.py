"""A residual network for tables: Gorishniy et al. 2021, "Revisiting deep learning models for tabular data", sec. 3.2.

Numbers come as linear splines, close to the piecewise linear encoding of Gorishniy et al. 2022, section 3.2.
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import spox.opset.ai.onnx.v21 as op
import torch
from spox import Var
from torch import Tensor, nn

from headway.networks import nodes


class Block(nn.Module):
    """x + dropout(linear(dropout(relu(linear(norm(x))))))."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[n, width]` to the same shape."""
        hidden = self.dropout(torch.relu(self.first(self.norm(x))))
        return x + cast("Tensor", self.dropout(self.second(hidden)))


class TableNet(nn.Module):
    """Outputs `[n, outputs]` of numbers `[n, numbers]` and category codes int64 `[n, len(levels)]`."""

    def __init__(
        self, numbers: int, levels: tuple[int, ...], outputs: int, *, width: int, blocks: int, dropout: float
    ) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, embedding_width(size)) for size in levels)
        for embedding in self.embeddings:
            # Level 0 stands for values that training may never have seen: neutral.
            cast("nn.Embedding", embedding).weight.data[0] = 0.0
        total = numbers + sum(embedding_width(size) for size in levels)
        self.stem = nn.Linear(total, width)
        self.blocks = nn.ModuleList(Block(width, dropout) for _ in range(blocks))
        self.norm = nn.BatchNorm1d(width)
        self.head = nn.Linear(width, outputs)

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return logits, or standardised values."""
        parts = [numbers, *(embedding(codes[:, j]) for j, embedding in enumerate(self.embeddings))]
        x = self.stem(torch.cat(parts, dim=1))
        for block in self.blocks:
            x = block(x)
        return cast("Tensor", self.head(torch.relu(self.norm(x))))


def embedding_width(levels: int) -> int:
    """Return how many numbers describe one of `levels` values."""
    return min(16, 1 + math.ceil(math.sqrt(levels)))


def network_nodes(network: TableNet, numbers: Var, codes: Var) -> Var:
    """Return the evaluating network as nodes; `codes` are float32 whole numbers `[rows, columns]`."""
    parts = [numbers]
    for j, embedding in enumerate(network.embeddings):
        column = op.cast(op.gather(codes, nodes.integers(j), axis=1), to=np.int64)
        parts.append(nodes.embedding(column, cast("nn.Embedding", embedding)))
    x = nodes.linear(op.concat(parts, axis=1), network.stem)
    for module in network.blocks:
        block = cast("Block", module)
        hidden = nodes.relu(nodes.linear(nodes.normalised(x, block.norm), block.first))
        x = op.add(x, nodes.linear(hidden, block.second))
    return nodes.linear(nodes.relu(nodes.normalised(x, network.norm)), network.head)
