"""One label of a fixed set per row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headway.runtime.manifest import Label


@dataclass(frozen=True)
class Classify:
    """Choose one of `labels`; a target is an int64 index into them, an answer float32 `[rows, labels]`."""

    labels: tuple[Label, ...]
    kind: Literal["classify"] = "classify"

    @property
    def width(self) -> int:
        """Return the number of outputs of a model."""
        return len(self.labels)
