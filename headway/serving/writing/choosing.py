"""Which engine writes text: vLLM where there is a GPU for it, else onnxruntime."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from headway.errors import HeadwayError, MissingExtraError, RunError

if TYPE_CHECKING:
    from headway.runtime.generation.answering import EngineName

Wanted = Literal["auto", "onnx", "vllm"]


def choose_engine(wanted: Wanted) -> EngineName:
    """Return the engine that writes: what is `wanted`, or with `auto` vLLM where it can be used and else onnxruntime.

    Raises `MissingExtraError` where vLLM is wanted and not installed, and `RunError` where there is no GPU for it.
    """
    if wanted == "onnx":
        return "onnx"
    obstacle = find_obstacle()
    if obstacle is not None and wanted == "vllm":
        raise obstacle
    return "vllm" if obstacle is None else "onnx"


def find_obstacle() -> HeadwayError | None:
    """Return what keeps vLLM from being used here, None where nothing does; without vLLM, torch is not imported."""
    if find_spec("vllm") is None:
        return MissingExtraError("vllm", purpose="writing text with vLLM")
    import torch

    if torch.cuda.is_available():
        return None
    built = "PyTorch is built for the CPU" if torch.version.cuda is None else "PyTorch sees no device"
    return RunError("vLLM writes on a GPU only", expected="a CUDA device that PyTorch sees", got=built,
                    fix="leave --engine out, or give --engine onnx: onnxruntime writes on the CPU")  # fmt: skip
