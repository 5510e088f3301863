"""Convolutions over embedded tokens with maximum over time (Kim 2014, section 2), in PyTorch and as ONNX nodes."""

from __future__ import annotations

import spox.opset.ai.onnx.v21 as op
import torch
from spox import Var
from torch import Tensor, nn
from torch.nn import functional

from headway.networks.nodes import convolution, embedding, floats, linear, masked_max, relu

# Odd, so that a window has a middle and the mask of the tokens is that of the windows.
WIDTHS = (1, 3, 5)
EMBEDDED, FILTERS = 96, 96
# What relu gives at least: the answer for a text without tokens.
_LEAST = 0.0


class TextCNN(nn.Module):
    """Embedding, convolutions of several widths, maximum over each text, dropout, dense layer."""

    def __init__(self, tokens: int, columns: int, width: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, EMBEDDED, padding_idx=0)
        # Small at first, so that what is learnt soon outweighs chance; no dropout here: a maximum would pick its noise.
        nn.init.normal_(self.embedding.weight, std=0.3)
        nn.init.zeros_(self.embedding.weight[0])  # padding, as the edge of a text looks to a window that leaves it
        self.convolutions = nn.ModuleList(nn.Conv1d(EMBEDDED, FILTERS, w, padding=w // 2) for w in WIDTHS)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(columns * len(WIDTHS) * FILTERS, width)

    def forward(self, *pairs: Tensor) -> Tensor:
        """Return outputs `[rows, width]` from ids and mask of each column in turn."""
        pooled = [self.pooled(ids, mask) for ids, mask in zip(pairs[::2], pairs[1::2], strict=True)]
        output: Tensor = self.head(self.dropout(torch.cat(pooled, 1)))
        return output

    def pooled(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return `[rows, widths * filters]`, the strongest answer of each filter."""
        x = self.embedding(ids).transpose(1, 2)
        kept = mask[:, None, :].bool()
        found = [functional.relu(layer(x)).masked_fill(~kept, _LEAST).amax(2) for layer in self.convolutions]
        return torch.cat(found, 1)


def nodes(network: nn.Module, pairs: list[tuple[Var, Var]]) -> Var:
    """Return the outputs of a trained `TextCNN`."""
    assert isinstance(network, TextCNN)
    pooled = []
    for ids, mask in pairs:
        x = op.transpose(embedding(ids, network.embedding), perm=[0, 2, 1])
        for layer in network.convolutions:
            assert isinstance(layer, nn.Conv1d)
            found = masked_max(op.transpose(relu(convolution(x, layer)), perm=[0, 2, 1]), mask)
            pooled.append(op.max([found, floats(_LEAST)]))
    return linear(op.concat(pooled, axis=1), network.head)
