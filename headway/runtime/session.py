"""One ONNX graph, opened for this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.errors import PackageError
from headway.runtime.manifest import Feed
from headway.runtime.protobuf import check_model
from headway.runtime.weights import lighten

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# What onnxruntime calls the element types of the feeds.
_TYPES = {
    "number": "tensor(float)",
    "category": "tensor(string)",
    "date": "tensor(double)",
    "characters": "tensor(int32)",
    "tokens": "tensor(int64)",
    "row": "tensor(int64)",
    "image": "tensor(uint8)",
}
# One output is called by its kind; one of several says after a colon which target it answers.
OUTPUTS = ("probabilities", "values")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_session(onnx: bytes, *, threads: int, spins: bool = False) -> InferenceSession:
    """Return an onnxruntime session over the bytes of a graph; nothing else is read.

    With `spins`, workers wait awake between the nodes of one run (not between runs): for graphs of many small nodes.
    Raises `PackageError` for a graph that is damaged, keeps data outside itself, or needs operators that are not
    standard, naming them.
    """
    check_model(onnx)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Idle workers sleep: the encoders of the next rows and other processes need the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spins else "0")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    light, tensors = lighten(onnx)
    if tensors:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(tensor) for tensor in tensors.values()]
        options.add_external_initializers(list(tensors), values)
    try:
        session = onnxruntime.InferenceSession(light, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own classes and plain RuntimeError
        raise refusal(error) from error
    session._sess_options = None  # noqa: SLF001 - it would keep the bytes of the model alive
    return session


def refusal(error: Exception) -> PackageError:
    """Return onnxruntime's complaint in our words; an operator it does not know is named."""
    text = " ".join(str(error).split())
    unknown = re.search(r"([\w.]+:[\w.]+)\(-?\d+\) is not a registered function/op|No Op registered for (\w+)", text)
    if unknown:
        name = unknown.group(1) or unknown.group(2)
        return PackageError(
            f"the graph needs the operator {name.replace(':', '::')!r}, which onnxruntime does not have",
            expected="operators of ai.onnx, ai.onnx.ml and com.microsoft",
            fix="take the package from its source again, or update onnxruntime",
        )
    return PackageError("the graph cannot be opened", expected="a valid ONNX model", got=text[:300])


def check_signature(session: InferenceSession, feeds: Sequence[Feed]) -> tuple[str, ...]:
    """Return the names of the graph's outputs; raises `PackageError` where inputs and feeds do not match."""
    wanted = {name: _TYPES[feed.kind] for feed in feeds for name in input_names(feed)}
    given = {node.name: node.type for node in session.get_inputs()}
    if wanted != given:
        raise PackageError(
            "the feeds of the manifest are not the inputs of the graph",
            expected=", ".join(f"{name} {kind}" for name, kind in wanted.items()),
            got=", ".join(f"{name} {kind}" for name, kind in given.items()),
        )
    outputs = [(node.name, node.type) for node in session.get_outputs()]
    if not outputs or not all(
        name.partition(":")[0] in OUTPUTS and (":" in name) == (len(outputs) > 1) and kind == "tensor(float)"
        for name, kind in outputs
    ):
        raise PackageError("the graph has the wrong outputs", expected="probabilities or values", got=str(outputs))
    return tuple(str(name) for name, _ in outputs)


def input_names(feed: Feed) -> tuple[str, ...]:
    """Return the graph inputs that a feed fills."""
    return (f"{feed.name}.ids", f"{feed.name}.mask") if feed.kind in {"tokens", "row"} else (feed.name,)


def run(session: InferenceSession, outputs: Sequence[str], arrays: dict[str, Any]) -> np.ndarray:
    """Return the outputs for encoded rows, side by side; raises `PackageError` where the graph fails."""
    try:
        answers: list[np.ndarray] = session.run(list(outputs), arrays)
        answer = answers[0] if len(answers) == 1 else np.concatenate(answers, axis=1)
    except Exception as error:  # onnxruntime raises its own classes and plain RuntimeError
        raise PackageError("the graph failed on these rows", got=" ".join(str(error).split())[:300]) from error
    return answer
