"""What a trained encoder answers, by an image alone or together with its mirror image."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from headway.errors import TrainingError
from headway.models.family import Examples
from headway.models.image_finetune.network import Tuned
from headway.models.mirroring import is_better
from headway.networks.batches import Source
from headway.networks.device import limited
from headway.networks.trained import Trained, answers_of, outputs_of
from headway.tasks.recipe import Recipe

_ASKED = 5


def answered(trained: Trained, sources: Sequence[Source]) -> np.ndarray:
    """Return float32 probabilities `[n, labels]` or values `[n]`, of the mean outputs over the `sources`.

    The head is linear: the mean of its outputs is its output for mean features, which is what ships.
    """
    with torch.inference_mode(), limited(trained.plan.threads):
        outputs = [outputs_of(trained.network, source, torch.device("cpu")) for source in sources]
        return answers_of(torch.stack(outputs).mean(0), trained)


def gains_by_mirroring(
    trained: Trained, plain: Source, read_mirrored: Callable[[], Source], valid: Examples, recipe: Recipe
) -> bool:
    """Tell whether the validation rows, of which `plain` are the images, are answered better with mirror images too."""
    try:
        sources = [plain, read_mirrored()]
    except TrainingError:  # the time ended
        return False
    return is_better(answered(trained, sources), answered(trained, [plain]), valid, trained.task, recipe)


@torch.inference_mode()
def seconds_a_row(network: Tuned, size: int, images: int) -> float:
    """Return what the images of one row take here, when they are asked for alone."""
    pixels = torch.zeros(images, size, size, 3)
    taken = []
    for _ in range(_ASKED):
        began = time.perf_counter()
        network.features(pixels if network.cut is None else network.lower(pixels))
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))
