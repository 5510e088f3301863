"""The weights of a base model, looked at without loading them."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.errors import BaseModelError

SAFE, SAFE_INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLED, PICKLED_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
_LARGEST_HEADER = 100_000_000  # bytes; the limit of the safetensors library
_TOKEN_TABLE = re.compile(r"(?:^|\.)(?:word_embeddings?|embed_tokens|tok_embeddings|wte|shared)\.weight$")
_AGAIN = "fetch or copy it again"


@dataclass(frozen=True)
class Weights:
    """The files of the weights; the numbers are 0 for pickled ones.

    `parameters`: all of them; `embedding`: those in the table of tokens, which has `tokens` rows.
    """

    files: tuple[Path, ...]
    parameters: int = 0
    embedding: int = 0
    tokens: int = 0
    is_pickled: bool = False


def find_weights(folder: Path) -> Weights:
    """Find a folder's weights, safetensors first, and check that they are whole.

    Raises `BaseModelError` where there are none, where a part is missing, and where a file is cut short.
    """
    files = _find_safe(folder)
    if files:
        tensors = [read_header(file)[1] for file in files]
        shapes = {name: spec["shape"] for part in tensors for name, spec in part.items() if _is_float(spec)}
        tables = [shape for name, shape in shapes.items() if _TOKEN_TABLE.search(name)]
        table = max(tables, key=math.prod, default=[0])
        return Weights(files, sum(math.prod(shape) for shape in shapes.values()), math.prod(table), table[0])
    files = _find_parts(folder, PICKLED_INDEX) or tuple(path for path in (folder / PICKLED,) if path.is_file())
    if files:
        return Weights(files, is_pickled=True)
    beside = sorted(path.name for path in folder.iterdir() if path.is_file())
    raise BaseModelError(
        "there are no weights in the folder",
        where=str(folder),
        expected=f"{SAFE}, or {SAFE_INDEX} and its parts",
        got=", ".join(beside[:8]) or "an empty folder",
        fix=_AGAIN,
    )


def _find_safe(folder: Path) -> tuple[Path, ...]:
    """Return the safetensors files: the usual one, the parts of an index, or the only one there is."""
    if (folder / SAFE).is_file():
        return (folder / SAFE,)
    parts = _find_parts(folder, SAFE_INDEX)
    if parts:
        return parts
    others = sorted(path for path in folder.glob("*.safetensors") if not path.name.startswith("adapter"))
    return (others[0],) if len(others) == 1 and others[0].is_file() else ()


def _find_parts(folder: Path, index: str) -> tuple[Path, ...]:
    """Return the parts that an index names; raises `BaseModelError` where one is missing."""
    if not (folder / index).is_file():
        return ()
    try:
        names = sorted(set(json.loads((folder / index).read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError):
        raise BaseModelError("the index of the weights cannot be read", where=str(folder / index), fix=_AGAIN) from None
    # A name with a folder in it could lead anywhere.
    missing = [name for name in names if Path(name).name != name or not (folder / name).is_file()]
    if missing:
        raise BaseModelError(
            "the weights are only half there",
            where=str(folder),
            expected=f"all {len(names)} parts that {index} names",
            got=f"{len(missing)} missing: {', '.join(missing[:3])}",
            fix=_AGAIN,
        )
    return tuple(folder / name for name in names)


def read_header(file: Path) -> tuple[int, Mapping[str, Any]]:
    """Return where the numbers of a safetensors file begin, and the tensors it declares.

    Raises `BaseModelError` where it is cut short or none.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        header = stream.read(length) if 0 < length <= min(size, _LARGEST_HEADER) else b""
    if start.startswith(b"version "):
        raise BaseModelError("this is a pointer of Git LFS, not the weights", where=str(file), fix="run: git lfs pull")
    try:
        tensors = {name: spec for name, spec in json.loads(header).items() if name != "__metadata__"}
        end = 8 + length + max(spec["data_offsets"][1] for spec in tensors.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BaseModelError(
            "the weights cannot be read",
            where=str(file),
            expected="a whole safetensors file",
            got=f"{size:,} bytes",
            fix=_AGAIN,
        ) from None
    if size != end:
        what = "the weights are cut short" if size < end else "the weights are longer than they say"
        raise BaseModelError(what, where=str(file), expected=f"{end:,} bytes", got=f"{size:,} bytes", fix=_AGAIN)
    return 8 + length, tensors


def _is_float(spec: Mapping[str, Any]) -> bool:
    return str(spec.get("dtype", "")).startswith(("F", "BF"))
