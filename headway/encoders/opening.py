"""A base as a torch module to train, and the way back to plain arrays."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from headway.bases.base import Base
from headway.bases.loading import load_backbone
from headway.encoders.checkpoints import is_known, to_stack
from headway.encoders.nodes import Pooling
from headway.encoders.stack import Stack


class Encoder(nn.Module):
    """`(ids, mask)`, both int64 `[rows, length]`, to pooled float32 `[rows, hidden]`."""

    def __init__(self, backbone: nn.Module, *, pooling: Pooling, normalise: bool = False) -> None:
        """Wrap a Transformers model."""
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.normalise = normalise

    @property
    def hidden(self) -> int:
        """Return the width of what comes out."""
        return int(self.backbone.config.hidden_size)  # type: ignore[union-attr, arg-type]

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the pooled states."""
        states = self.states(ids, mask)
        if self.pooling == "cls":
            pooled = states[:, 0]
        else:
            weights = mask.to(states.dtype)
            pooled = (states * weights[..., None]).sum(1) / weights.sum(1, keepdim=True).clamp(min=1)
        return nn.functional.normalize(pooled, dim=-1) if self.normalise else pooled

    def states(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the last hidden states, `[rows, length, hidden]`."""
        states: Tensor = self.backbone(input_ids=ids, attention_mask=mask).last_hidden_state
        return states


def open_encoder(base: Base, *, pooling: Pooling | None = None, normalise: bool = False) -> Encoder:
    """Return the base as a torch module in evaluation mode, float32, on the CPU; raises `BaseModelError`."""
    backbone = load_backbone(base)
    return Encoder(backbone, pooling=pooling or base.pooling, normalise=normalise).eval()


def stack_of(encoder: Encoder) -> Stack | None:
    """Return the present weights of a module in the common layout, None where its architecture has another."""
    config = encoder.backbone.config.to_dict()  # type: ignore[operator, union-attr]
    if not is_known(config):
        return None
    tensors = {name: _array(tensor) for name, tensor in encoder.backbone.state_dict().items()}
    return to_stack(config, tensors)


def _array(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().float().cpu().numpy().copy()
    return array


class States(nn.Module):
    """A backbone with plain arguments and one plain result, as exporters want it."""

    def __init__(self, backbone: nn.Module) -> None:
        """Wrap a Transformers model."""
        super().__init__()
        self.backbone = backbone

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the last hidden states, `[rows, length, hidden]`."""
        states: Tensor = self.backbone(input_ids=ids, attention_mask=mask).last_hidden_state
        return states
