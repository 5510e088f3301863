"""A base model as a PyTorch module; heavy imports wait until a module is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.bases.architectures import OWN
from headway.bases.base import Base
from headway.errors import BaseModelError, MissingExtraError

if TYPE_CHECKING:
    from torch import nn

# Heads that a plain encoder does not use: they may be missing, and are made anew by whoever trains one.
_HEADS = ("pooler", "classifier", "cls.", "lm_head", "head.")


def load_text_encoder(base: Base) -> nn.Module:
    """Return Transformers' encoder in float32 and in eval mode: (input_ids, attention_mask) to `last_hidden_state`.

    Raises `BaseModelError` where weights are missing: they would be random.
    """
    return _load("AutoModel", base)


def load_decoder(base: Base) -> nn.Module:
    """Return Transformers' causal language model in float32 and in eval mode."""
    return _load("AutoModelForCausalLM", base)


def load_image_encoder(base: Base) -> nn.Module:
    """Return a module from pixels to features in eval mode: float32 `[n, 3, size, size]` to `[n, width]`.

    The pixels are prepared as `base.picture` says. Raises `BaseModelError` where weights are missing.
    """
    if base.architecture in OWN:
        return _load_own(base)
    from headway.bases.pictures import ImageFeatures

    return ImageFeatures(_load("AutoModel", base)).eval()


def _load(name: str, base: Base) -> nn.Module:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError("deep", purpose=f"the base {base.name}") from error
    try:
        model, told = getattr(transformers, name).from_pretrained(
            base.folder,
            dtype=torch.float32,
            trust_remote_code=False,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        got = f"{type(error).__name__}: {error}".split("\n")[0][:300]
        raise BaseModelError(f"the base {base.name} cannot be loaded", where=str(base.folder), got=got) from None
    _check_complete(base, [key for key in told["missing_keys"] if not any(head in key for head in _HEADS)])
    module: nn.Module = model.eval()
    return module


def _load_own(base: Base) -> nn.Module:
    try:
        from safetensors.torch import load_file

        from headway.bases.efficientnet import EfficientNetLite
    except ImportError as error:
        raise MissingExtraError("deep", purpose=f"the base {base.name}") from error
    network = EfficientNetLite()
    told: Any = network.load_state_dict(load_file(base.folder / "model.safetensors"), strict=False)
    # The counters of batch normalisation play no part in answers.
    _check_complete(base, [key for key in told.missing_keys if not key.endswith("num_batches_tracked")])
    return network.eval()


def _check_complete(base: Base, missing: list[str]) -> None:
    if missing:
        raise BaseModelError(
            f"the weights of the base {base.name} do not fit its configuration",
            where=str(base.folder),
            expected="a tensor for every part of the model",
            got=f"{len(missing)} missing: {', '.join(sorted(missing)[:3])}",
            fix="fetch it again, or take another base",
        )
