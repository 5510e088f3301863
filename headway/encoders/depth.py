"""An encoder cut in two: layers that stay as they are, and the upper ones that learn.

What the lower layers make of a text never changes while the upper ones learn, so it is computed once (`lower_states`)
and an epoch costs `depth` layers instead of all of them. Layers are found and run by the backbone's own code, whatever
its architecture: it is given the upper layers only, and the first of them is fed the kept states.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from headway.encoders.opening import Encoder
from headway.errors import TrainingError


class Cut(nn.Module):
    """An encoder whose upper `depth` layers can run without the rest; its weights are the encoder's own.

    With `recompute`, the activations inside upper layers are computed again in the backward pass instead of kept
    (Chen et al. 2016, "Training deep nets with sublinear memory cost").
    """

    def __init__(self, encoder: Encoder, depth: int, *, recompute: bool = False) -> None:
        """Cut `encoder` below its upper `depth` layers, 1 to all of them."""
        super().__init__()
        owner, self.name = _place_of_layers(encoder.backbone)
        layers: nn.ModuleList = getattr(owner, self.name)
        self.encoder = encoder
        self.depth = min(depth, len(layers))
        self.entry = len(layers) - self.depth
        self.recompute = recompute
        upper = [_Upper(layer, recompute=recompute) for layer in layers[self.entry :]]
        # In a tuple, lest the layers be registered twice.
        self._apart: tuple[nn.Module, nn.ModuleList, list[_Upper]] = (owner, layers, upper)

    def forward(self, ids: Tensor, mask: Tensor, states: Tensor | None = None) -> Tensor:
        """Return pooled float32 `[rows, hidden]`; only the upper layers run where `states` of the lower are given."""
        owner, layers, upper = self._apart
        if states is None and not (self.recompute and self.training):
            pooled: Tensor = self.encoder(ids, mask)
            return pooled
        lower: list[nn.Module] = list(layers[: self.entry]) if states is None else []
        upper[0].states = states
        setattr(owner, self.name, nn.ModuleList([*lower, *upper]))
        try:
            pooled = self.encoder(ids, mask)
        finally:
            setattr(owner, self.name, layers)
            upper[0].states = None
        return pooled

    def lower_states(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return what enters the upper layers, `[rows, length, hidden]`, and the pooled output of the whole."""
        seen: list[Tensor] = []
        layers = self._apart[1]
        handle = layers[self.entry].register_forward_pre_hook(
            lambda _, positional, named: seen.append(positional[0] if positional else named["hidden_states"]),
            with_kwargs=True,
        )
        try:
            pooled = self.encoder(ids, mask)
        finally:
            handle.remove()
        return seen[0], pooled

    def height(self, parameter: str) -> int:
        """Return how many layers of the backbone stand above the parameter of this name (of the encoder)."""
        path = f"{self.name}."
        if path not in parameter:
            return len(self._apart[1])
        number = parameter.rsplit(path, maxsplit=1)[-1].split(".", maxsplit=1)[0]
        return len(self._apart[1]) - 1 - int(number) if number.isdigit() else 0


class _Upper(nn.Module):
    """One of the upper layers; the lowest takes the kept states in place of what comes in."""

    def __init__(self, layer: nn.Module, *, recompute: bool) -> None:
        super().__init__()
        self.layer = layer
        self.recompute = recompute
        self.states: Tensor | None = None

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the layer, which backbones may ask for (its kind of attention)."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("layer"), name)

    def forward(self, *positional: Any, **named: Any) -> Any:
        if self.states is not None and positional:
            positional = (self.states, *positional[1:])
        elif self.states is not None:
            named["hidden_states"] = self.states
        if self.recompute and self.layer.training:
            return checkpoint(self.layer, *positional, use_reentrant=False, **named)
        return self.layer(*positional, **named)


def layers_of(backbone: nn.Module) -> nn.ModuleList:
    """Return the layers of a backbone; raises `TrainingError` where it has none that are told apart."""
    owner, name = _place_of_layers(backbone)
    layers: nn.ModuleList = getattr(owner, name)
    return layers


def _place_of_layers(backbone: nn.Module) -> tuple[nn.Module, str]:
    """Return the module that holds the layers and the name it has for them: the longest list of like modules."""
    best: tuple[int, nn.Module, str] | None = None
    for owner in backbone.modules():
        for name, child in owner.named_children():
            alike = isinstance(child, nn.ModuleList) and len({type(layer) for layer in child}) == 1
            if alike and (best is None or len(child) > best[0]):  # type: ignore[arg-type]
                best = len(child), owner, name  # type: ignore[arg-type]
    if best is None:
        raise TrainingError(
            "the base model cannot be fine-tuned",
            expected="an encoder with a list of layers",
            got=type(backbone).__name__,
            fix="name another `base`, or leave this candidate out",
        )
    return best[1], best[2]


def agrees(cut: Cut, ids: Tensor, mask: Tensor) -> bool:
    """Tell whether the upper layers, fed the kept states, answer as the whole encoder does."""
    with torch.inference_mode():
        states, pooled = cut.lower_states(ids, mask)
        try:
            again = cut(ids, mask, states)
        except (RuntimeError, TypeError, AttributeError, IndexError):
            return False
    return bool(torch.allclose(pooled, again, atol=1e-3, rtol=1e-3))
