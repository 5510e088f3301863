"""One number per row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headway.runtime.manifest import output_name


@dataclass(frozen=True)
class Regress:
    """Predict a float; a target and an answer are float32 `[rows]` in the target's unit."""

    kind: Literal["regress"] = "regress"

    @property
    def width(self) -> int:
        """Return the number of outputs of a model."""
        return 1

    @property
    def outputs(self) -> dict[str, int]:
        """Return the outputs of a graph, each with its figures a row."""
        return {output_name(self.kind): self.width}
