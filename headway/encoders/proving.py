"""Whether an encoder will become a graph once it has learnt, found out before any time goes into it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from headway.bases.base import Base
from headway.encoders.checkpoints import is_known
from headway.encoders.exporting import OUTPUT, base_model
from headway.encoders.opening import Encoder
from headway.errors import TrainingError
from headway.runtime.session import open_session

# How far the graph may be from the encoder, relative to its largest output.
TOLERANCE = 1e-3
# Texts that both answer: others in number and length than those that are traced, one of them padded.
_TEXTS, _LENGTH, _SHORT = 3, 11, 5


def check_export(encoder: Encoder, base: Base) -> None:
    """Raise `TrainingError` where `base`, opened as `encoder`, cannot be traced, or where its graph answers otherwise.

    Graphs of architectures in `checkpoints` are made here, node by node: those are not in question. Others are traced,
    which takes seconds, once in a process; what a frozen encoder of the same base reads with is taken for it.
    """
    if is_known(encoder.backbone.config.to_dict()):  # type: ignore[operator, union-attr]
        return
    faults = _faults(base)
    if not faults:
        faults.append(_fault_of(encoder, base))
    if faults[0]:
        raise TrainingError(
            f"the base {base.name} cannot be packed once it has learnt",
            expected="an encoder that torch.onnx can trace",
            got=faults[0],
            fix="name another `base`, or leave this candidate out",
        )


@lru_cache(maxsize=8)
def _faults(base: Base) -> list[str]:  # noqa: ARG001 - the cache goes by it
    """Return where the fault of a base is kept in this process, once it has been looked for."""
    return []


def _fault_of(encoder: Encoder, base: Base) -> str:
    """Return what is wrong with the graph of a base, nothing where it answers like the encoder."""
    ids = torch.full((_TEXTS, _LENGTH), 2, dtype=torch.int64) + torch.arange(_LENGTH) % 3
    mask = torch.ones_like(ids)
    mask[0, _SHORT:] = 0
    try:
        model = base_model(base, "float32")
    except TrainingError as error:
        return error.problems[0].got
    with torch.inference_mode():
        wanted = Encoder(encoder.backbone, pooling=base.pooling).eval()(ids, mask).numpy()
    try:
        (found,) = open_session(model, threads=1).run([OUTPUT], {"ids": ids.numpy(), "mask": mask.numpy()})
    except Exception as error:  # noqa: BLE001 - ONNX Runtime has errors of its own for each kind of graph
        return f"the graph does not run: {error}".split("\n")[0][:200]
    distance = float(np.abs(found - wanted).max()) / max(1.0, float(np.abs(wanted).max()))
    return "" if distance <= TOLERANCE else f"the graph answers otherwise, {distance:.2g} away"
