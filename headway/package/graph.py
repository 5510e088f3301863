"""What a fitted candidate hands on: an ONNX graph and how to feed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headway.runtime.manifest import Feed


@dataclass(frozen=True)
class Graph:
    """A model and its preprocessing as one ONNX graph.

    `model` is a serialised ModelProto, or the file that holds one, which is read anew each time it is needed: the
    candidates of a large base would not all fit into memory. Its inputs are the feeds' names (a `TokenFeed` makes
    two: `<name>.ids` and `<name>.mask`), the first axis of each is the rows and is dynamic. Its one output is
    `probabilities`, float32 `[rows, labels]` summing to 1, for classification, or `values`, float32 `[rows, 1]` in
    the target's unit, for regression; with several targets it has one of these for each, named
    `probabilities:<target>` or `values:<target>`. `files` holds what feeds name (tokenizers), by file name. Two
    feeds of the same name in different graphs are the same feed.
    """

    model: bytes | Path
    feeds: tuple[Feed, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def onnx(self) -> bytes:
        """Return the serialised ModelProto; raises `OSError` where its file is gone."""
        return self.model if isinstance(self.model, bytes) else self.model.read_bytes()

    @property
    def size(self) -> int:
        """Return the bytes of the model."""
        return len(self.model) if isinstance(self.model, bytes) else self.model.stat().st_size
