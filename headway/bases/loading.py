"""A base as a PyTorch module; what is made of text encoders has the room `encoders`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from headway.bases.architectures import OWN
from headway.bases.base import Base
from headway.errors import BaseModelError, MissingExtraError

if TYPE_CHECKING:
    from torch import nn

# Some architectures have a pooler that a checkpoint may leave out.
_OPTIONAL = "pooler"
# Of batch normalisation; it plays no part in answers.
_COUNTER = "num_batches_tracked"


def load_image_encoder(base: Base) -> nn.Module:
    """Return a module from pixels to features in eval mode: float32 `[n, 3, size, size]` to `[n, width]`.

    The pixels are prepared as `base.picture` says. Raises `BaseModelError` where weights are missing.
    """
    if base.architecture in OWN:
        return _load_own(base)
    from headway.bases.pictures import ImageFeatures

    return ImageFeatures(load_backbone(base)).eval()


def load_backbone(base: Base) -> nn.Module:
    """Return the module that Transformers has for a base, float32, in eval mode; raises `BaseModelError`."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError("deep", purpose=f"the base {base.name}") from error
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        with _quiet(transformers.utils.logging):
            model, told = transformers.AutoModel.from_pretrained(
                base.folder,
                dtype=torch.float32,
                trust_remote_code=False,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, StrictDataclassError) as error:
        raise BaseModelError(
            f"the base model {base.name} cannot be opened",
            where=str(base.folder),
            expected="a model that Transformers knows, with its weights as safetensors",
            got=f"{type(error).__name__}: {error}".split("\n")[0][:300],
            fix="download it again, or name another `base`",
        ) from error
    _check_complete(base, [key for key in told["missing_keys"] if _OPTIONAL not in key and not key.endswith(_COUNTER)])
    if base.kind == "image_encoder" and any(key.startswith(f"{_OPTIONAL}.") for key in told["missing_keys"]):
        model.pooler = None  # Transformers filled it with random numbers, others each time
    module: nn.Module = model.eval()
    return module


@contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """Let Transformers say nothing meanwhile: a run has its own bars, and what is missing is checked afterwards."""
    verbosity = logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def _load_own(base: Base) -> nn.Module:
    try:
        from safetensors.torch import load_file

        from headway.bases.efficientnet import EfficientNetLite
    except ImportError as error:
        raise MissingExtraError("deep", purpose=f"the base {base.name}") from error
    network = EfficientNetLite()
    told: Any = network.load_state_dict(load_file(base.folder / "model.safetensors"), strict=False)
    _check_complete(base, [key for key in told.missing_keys if not key.endswith(_COUNTER)])
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
