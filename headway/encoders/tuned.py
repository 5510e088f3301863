"""An encoder that learns, with a linear layer over what it makes of each text column."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from headway.encoders.depth import Cut, layers_of
from headway.encoders.opening import Encoder

Method = Literal["layers", "lora"]
# Rank and scale of LoRA (Hu et al. 2022, section 4.1), on all linear maps of a layer (Dettmers et al. 2023, section 4).
RANK, ALPHA = 16, 32


class Tuned(nn.Module):
    """Upper layers and a head that learn: `ids, mask`, and `states` where they are kept, of each column to outputs."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        depth: int,
        method: Method,
        columns: int,
        width: int,
        dropout: float = 0.0,
        recompute: bool = False,
    ) -> None:
        """Take over `encoder`; everything below its upper `depth` layers is frozen, its table of tokens always."""
        super().__init__()
        encoder.requires_grad_(requires_grad=False)
        set_dropout(encoder, dropout)
        upper = layers_of(encoder.backbone)[-depth:]
        if method == "lora":
            _add_adapters(upper)
        else:
            upper.requires_grad_(requires_grad=True)
        self.cut = Cut(encoder, depth, recompute=recompute)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(columns * encoder.hidden, width)
        self.columns = columns

    def forward(self, *arguments: Tensor) -> Tensor:
        """Return outputs `[rows, width]`."""
        outputs: Tensor = self.head(self.dropout(self.pooled(*arguments)))
        return outputs

    def pooled(self, *arguments: Tensor) -> Tensor:
        """Return what the encoder makes of each column, side by side, `[rows, columns * hidden]`."""
        each = len(arguments) // self.columns
        groups = [arguments[start : start + each] for start in range(0, len(arguments), each)]
        return torch.cat([self.cut(*group) for group in groups], 1)

    def height(self, parameter: str) -> int:
        """Return how many layers stand between a parameter and the head, see `networks.optimizing.Layered`."""
        return 0 if parameter.startswith("head.") else self.cut.height(parameter)

    def is_begun(self, parameter: str) -> bool:
        """Tell whether a parameter is the encoder's or an adapter's, see `networks.mixout.Begun`."""
        return not parameter.startswith("head.")


def set_dropout(encoder: Encoder, dropout: float) -> None:
    """Give every layer of dropout this rate; the one inside attention, slow on CPUs, is always left out."""
    for name, module in encoder.backbone.named_modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0 if "attention.self" in name else dropout
        for attribute in ("attention_dropout", "attention_probs_dropout_prob"):
            if isinstance(getattr(module, attribute, None), float):
                setattr(module, attribute, 0.0)


def merge_adapters(encoder: Encoder) -> None:
    """Add what adapters have learnt to the weights they stand beside, and take them away."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for parent in list(encoder.backbone.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, BaseTunerLayer):
                child.merge(safe_merge=True)
                setattr(parent, name, child.get_base_layer())


def _add_adapters(layers: nn.ModuleList) -> None:
    """Put a LoRA adapter beside every linear map of `layers`."""
    from peft import LoraConfig, inject_adapter_in_model

    names = sorted({name for name, module in layers.named_modules() if isinstance(module, nn.Linear)})
    inject_adapter_in_model(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=names), layers)
