"""One label of a fixed set per row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from headway.runtime.manifest import Label, output_name


@dataclass(frozen=True)
class Classify:
    """Choose one of `labels`; a target is an int64 index into them, an answer float32 `[rows, labels]`.

    `descriptions`: what texts of a label are about, by the label as a string; not every label needs one.
    """

    labels: tuple[Label, ...]
    kind: Literal["classify"] = "classify"
    descriptions: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def width(self) -> int:
        """Return the number of outputs of a model."""
        return len(self.labels)

    @property
    def outputs(self) -> dict[str, int]:
        """Return the outputs of a graph, each with its figures a row."""
        return {output_name(self.kind): self.width}
