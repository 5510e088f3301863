"""Adapters added to the weights they stand beside, and proof that nothing changed by that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from headway.encoders.tuned import Tuned, merge_adapters
from headway.errors import TrainingError
from headway.networks.batches import Columns, sequential
from headway.networks.trained import Trained

# How far the merged model may be from the one with adapters, relative to the largest output.
TOLERANCE = 1e-3
CHECKED_ROWS = 64


def merged(trained: Trained, tuned: Tuned, texts: Columns) -> Trained:
    """Return the network, of which `tuned` is part, without adapters.

    Raises `TrainingError` where it answers some texts otherwise than before.
    """
    network = trained.network
    positions = next(iter(sequential(texts, CHECKED_ROWS)))
    batch = texts.batch(np.sort(positions), None)
    with torch.inference_mode():
        before = network(*batch)
    merge_adapters(tuned.cut.encoder)
    with torch.inference_mode():
        after = network(*batch)
    distance = float((after - before).abs().max()) / max(1.0, float(before.abs().max()))
    if not distance <= TOLERANCE:
        raise TrainingError(
            "the model with merged adapters does not answer like the trained one",
            expected=f"outputs within {TOLERANCE:g}",
            got=f"{distance:.2g}",
            fix="lower training.learning_rate",
        )
    return replace(trained, network=network)
