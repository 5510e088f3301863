"""Embedding, LSTM, dense layer, in PyTorch and as ONNX nodes."""

from __future__ import annotations

import numpy as np
import spox.opset.ai.onnx.v21 as op
import torch
from spox import Var
from torch import Tensor, nn

from headway.networks.nodes import embedding, floats, integers, linear, lstm, masked_max

EMBEDDED, HIDDEN = 96, 64
# Below any state of an LSTM: the answer for a text without tokens.
_LEAST = -1.0


class TextLSTM(nn.Module):
    """A bidirectional LSTM over embedded tokens, the maximum of its states over each text, and a dense layer.

    The maximum over time learns faster than the last state (Conneau et al. 2017, section 3.2.2).
    """

    def __init__(self, tokens: int, columns: int, width: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, EMBEDDED, padding_idx=0)
        # Small at first, so that what is learnt soon outweighs chance; no dropout here: a maximum would pick its noise.
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.forwards = nn.LSTM(EMBEDDED, HIDDEN, batch_first=True)
        self.backwards = nn.LSTM(EMBEDDED, HIDDEN, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(columns * 2 * HIDDEN, width)

    def forward(self, *pairs: Tensor) -> Tensor:
        """Return outputs `[rows, width]` from ids and mask of each column in turn."""
        pooled = [self.pooled(ids, mask) for ids, mask in zip(pairs[::2], pairs[1::2], strict=True)]
        output: Tensor = self.head(self.dropout(torch.cat(pooled, 1)))
        return output

    def pooled(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return `[rows, 2 * hidden]`, the strongest value of each unit."""
        x = self.embedding(ids)
        # Reading each row from its last token on, padding behind it: a twelfth of the time that packed sequences take.
        position = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        last = mask.sum(1, keepdim=True) - 1
        reverse = torch.where(position <= last, last - position, position)
        turned = x.gather(1, reverse[:, :, None].expand_as(x))
        states = torch.cat([self.forwards(x)[0], self.backwards(turned)[0]], 2)
        return states.masked_fill(~mask[:, :, None].bool(), _LEAST).amax(1)


def nodes(network: nn.Module, pairs: list[tuple[Var, Var]]) -> Var:
    """Return the outputs of a trained `TextLSTM`."""
    assert isinstance(network, TextLSTM)
    pooled = []
    for ids, mask in pairs:
        lengths = op.max([op.reduce_sum(mask, integers([1]), keepdims=0), integers(1)])
        x = embedding(ids, network.embedding)
        turned = op.reverse_sequence(x, lengths, batch_axis=0, time_axis=1)
        for steps, layer in ((x, network.forwards), (turned, network.backwards)):
            found = masked_max(lstm(steps, layer, op.cast(lengths, to=np.int32)), mask)
            pooled.append(op.max([found, floats(_LEAST)]))
    return linear(op.concat(pooled, axis=1), network.head)
