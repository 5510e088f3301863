"""What a fitted candidate hands on: an ONNX graph and how to feed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from headway.runtime.manifest import Feed


@dataclass(frozen=True)
class Graph:
    """A model and its preprocessing as one ONNX graph.

    `onnx` is a serialised ModelProto. Its inputs are the feeds' names (a `TokenFeed` makes two: `<name>.ids`
    and `<name>.mask`), the first axis of each is the rows and is dynamic. Its one output is
    `probabilities`, float32 `[rows, labels]` summing to 1, for classification, or `values`, float32
    `[rows, 1]` in the target's unit, for regression; with several targets it has one of these for each, named
    `probabilities:<target>` or `values:<target>`. `files` holds what feeds name (tokenizers), by file name.
    Two feeds of the same name in different graphs are the same feed.
    """

    onnx: bytes
    feeds: tuple[Feed, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
