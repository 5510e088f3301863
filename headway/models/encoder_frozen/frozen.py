"""A head on the vectors of a base, and both as one graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import spox
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.encoders.exporting import base_model, pooled_columns
from headway.encoders.reading import tokenizer_files
from headway.models.answers import answer, link
from headway.models.encoder_frozen.bending import Bent
from headway.models.encoder_frozen.lens import Lens
from headway.models.encoder_frozen.reading import Eyes
from headway.models.family import Curve, Settings
from headway.models.targets import TargetScale
from headway.package.constants import Constants
from headway.package.graph import Graph


@dataclass(frozen=True)
class FrozenEncoder:
    """A head on the vectors of a base."""

    eyes: Eyes
    head: Bent
    target: TargetScale | None
    settings: Settings
    curves: tuple[Curve, ...] = ()
    lens: Lens | None = None
    searching_seconds: float = 0.0

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values."""
        x = self.eyes.read(rows)
        return answer(self.head.outputs(x if self.lens is None else self.lens(x)), self.target)

    def graph(self) -> Graph:
        """Return encoder and head as one graph."""
        base, feeds = self.eyes.base, self.eyes.feeds
        tokens = spox.Tensor(np.int64, ("rows", None))
        arguments: dict[str, Var] = {
            f"{feed.name}.{part}": spox.argument(tokens) for feed in feeds for part in ("ids", "mask")
        }
        pairs = [(arguments[f"{feed.name}.ids"], arguments[f"{feed.name}.mask"]) for feed in feeds]
        constants = Constants()
        model = base_model(base, self.eyes.precision)
        parts = [op.lp_normalization(pooled_columns(model, [pair], constants), axis=-1, p=2) for pair in pairs]
        x = parts[0] if len(parts) == 1 else op.concat(parts, axis=1)
        x = x if self.lens is None else self.lens.nodes(x)
        return Graph(constants.build(arguments, link(self.head.nodes(x), self.target)), feeds, tokenizer_files(base))
