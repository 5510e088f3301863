"""An image encoder as a PyTorch module; text encoders have the room `encoders`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.bases.architectures import OWN
from headway.bases.base import Base
from headway.errors import BaseModelError, MissingExtraError

if TYPE_CHECKING:
    from torch import nn

# Some architectures have a pooler that a checkpoint may leave out.
_OPTIONAL = "pooler"


def load_image_encoder(base: Base) -> nn.Module:
    """Return a module from pixels to features in eval mode: float32 `[n, 3, size, size]` to `[n, width]`.

    The pixels are prepared as `base.picture` says. Raises `BaseModelError` where weights are missing.
    """
    if base.architecture in OWN:
        return _load_own(base)
    from headway.bases.pictures import ImageFeatures

    return ImageFeatures(_load(base)).eval()


def _load(base: Base) -> nn.Module:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError("deep", purpose=f"the base {base.name}") from error
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a run has its own
    try:
        model, told = transformers.AutoModel.from_pretrained(
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
    _check_complete(base, [key for key in told["missing_keys"] if _OPTIONAL not in key])
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
