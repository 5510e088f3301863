"""Adam and AdamW around torch's own fused step, without what `torch.optim.Optimizer` imports.

Making a `torch.optim.Adam` imports torch's compiler (`torch._dynamo`), which nothing here uses: measured on two cores,
1.8 s (as long as importing torch itself) and 70 MB. The arithmetic is that of `torch.optim.adam.adam`; the layout of
`param_groups` and of `state_dict` is torch's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam

_BETAS, _EPS = (0.9, 0.999), 1e-8
# What torch calls the moments of a parameter: steps taken, mean of its gradients, mean of their squares.
_NAMES = ("step", "exp_avg", "exp_avg_sq")


class Adam:
    """Adam (Kingma and Ba 2015); `decoupled`: weights decay beside the gradient (AdamW, Loshchilov and Hutter 2019)."""

    def __init__(self, groups: Sequence[Mapping[str, Any]], *, lr: float, decoupled: bool) -> None:
        """Take groups of `params` with their `weight_decay`, and whatever else the caller keeps in them."""
        self.param_groups: list[dict[str, Any]] = [{"lr": lr, "weight_decay": 0.0, **group} for group in groups]
        self._decoupled = decoupled
        self._moments: dict[Tensor, tuple[Tensor, ...]] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameters that have a gradient."""
        for group in self.param_groups:
            learning = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not learning:
                continue
            moments = [self._moments_of(parameter) for parameter in learning]
            steps, means, squares = (list(each) for each in zip(*moments, strict=True))
            adam(
                learning, [parameter.grad for parameter in learning], means, squares, [], steps, fused=True,
                amsgrad=False, beta1=_BETAS[0], beta2=_BETAS[1], lr=group["lr"], weight_decay=group["weight_decay"],
                eps=_EPS, maximize=False, decoupled_weight_decay=self._decoupled,
            )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        """Return the moments by the parameters' places, and the groups without the parameters."""
        state = {
            place: dict(zip(_NAMES, self._moments[parameter], strict=True))
            for place, parameter in enumerate(self._parameters())
            if parameter in self._moments
        }
        groups = [{name: value for name, value in group.items() if name != "params"} for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, kept: Mapping[str, Any]) -> None:
        """Take up what `state_dict` returned for the same groups."""
        for group, found in zip(self.param_groups, kept["param_groups"], strict=True):
            group.update(found)
        parameters = self._parameters()
        self._moments = {
            parameters[place]: tuple(moments[name].to(parameters[place].device) for name in _NAMES)
            for place, moments in kept["state"].items()
        }

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def _moments_of(self, parameter: Tensor) -> tuple[Tensor, ...]:
        if parameter not in self._moments:
            steps = torch.zeros((), dtype=torch.float32, device=parameter.device)
            self._moments[parameter] = steps, torch.zeros_like(parameter), torch.zeros_like(parameter)
        return self._moments[parameter]
