"""What names a fit, so that one that was killed finds its own checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headway.encoders.images.reading import content_key
from headway.models.family import Examples
from headway.models.image_finetune.reading import Columns


@dataclass(frozen=True)
class Views:
    """How many views of each image were kept: a fit that goes on has to see the same."""

    count: int


def name_of(facts: Mapping[str, object], train: Examples, cells: Columns, *, examined: Columns | None) -> str:
    """Return a digest of all that decides how a fit ends, but for the clock: equal names would give the same network.

    `facts`: base, plan and the like, as they print; `cells` and `examined`: the images of both parts.
    """
    said = hashlib.blake2b(repr(sorted(facts.items())).encode(), digest_size=12)
    for columns in (cells, examined or ()):
        said.update(b"|")
        for column in columns:
            said.update(b"".join(content_key(cell) for cell in column))
    for array in (train.y, train.weight):
        said.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    return said.hexdigest()
