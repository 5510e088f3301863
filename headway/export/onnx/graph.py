"""The graph with a note of its inputs and outputs, and a call that anyone can run."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import numpy as np

from headway.export.content import Content, Options
from headway.export.onnx.notes import Signature, write_note
from headway.export.packed import Packed
from headway.runtime.archive import MODEL
from headway.runtime.feeds import encode
from headway.runtime.manifest import RowFeed, TokenFeed

EXAMPLE, SCRIPT = "example.json", "example.py"


def make_graph(packed: Packed, options: Options) -> Content:
    """Return the graph with its tokenizers, notes in English and Chinese, and an example with its encoded row."""
    del options
    signature = Signature.of(packed)
    files = {
        MODEL: packed.files[MODEL],
        **{name: packed.files[name] for name in _tokenizers(packed)},
        EXAMPLE: _example(packed),
        SCRIPT: resources.files("headway.export.onnx").joinpath("example_call.py").read_bytes(),
        "README.md": write_note(packed, signature, "en").encode(),
        "README.zh.md": write_note(packed, signature, "zh").encode(),
    }
    return Content(files)


def _tokenizers(packed: Packed) -> list[str]:
    """Return the files that token feeds name, each once."""
    return list(
        dict.fromkeys(feed.tokenizer for feed in packed.manifest.feeds if isinstance(feed, TokenFeed | RowFeed))
    )


def _example(packed: Packed) -> bytes:
    """Return the example row, its encoding as the graph reads it, and what the graph answers."""
    columns = packed.columns([packed.example])
    arrays: dict[str, np.ndarray] = {}
    for feed in packed.manifest.feeds:
        arrays.update(encode(feed, columns, files=packed.files))
    predictor, manifest = packed.model.predictor, packed.manifest
    ends = np.cumsum([len(part.labels) or 1 for part in manifest.parts])[:-1]
    answers = np.split(predictor.run(columns), ends, axis=1)
    document = {
        "row": packed.example,
        "inputs": {name: _plain(array) for name, array in arrays.items()},
        "outputs": {name: _plain(answer) for name, answer in zip(predictor.outputs, answers, strict=True)},
        "labels": {name: list(part.labels) for name, part in zip(predictor.outputs, manifest.parts, strict=True)},
    }
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _plain(array: np.ndarray) -> dict[str, Any]:
    """Return an array as JSON holds it, row by row; a missing number (NaN) is null."""
    kind = "string" if array.dtype == object else str(array.dtype)
    values = array.ravel().tolist()
    if array.dtype.kind == "f":
        values = [None if value != value else value for value in values]  # noqa: PLR0124
    return {"type": kind, "shape": list(array.shape), "data": values}
