"""What stands in safetensors: numbers, and no hole where a download broke off in a file of the full size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from headway.bases.weights import find_weights, read_header
from headway.errors import BaseModelError

# What holds a number, all of it but the sign, and the largest that is one.
_KINDS: Mapping[str, tuple[type[np.unsignedinteger[Any]], int, int]] = {
    "F32": (np.uint32, 0x7FFF_FFFF, 0x7F80_0000),
    "F16": (np.uint16, 0x7FFF, 0x7C00),
    "BF16": (np.uint16, 0x7FFF, 0x7F80),
}
# So many zeros side by side are no weights. What pools may never have learnt, and is not used where it did not.
_LARGE, _UNUSED = 16_384, "pooler"
_CHUNK = 1 << 22


def check_numbers(folder: Path) -> None:
    """Raise `BaseModelError` where weights of `folder` are no numbers, or a large part of them is nothing but zeros."""
    for file in find_weights(folder).files:
        if file.suffix == ".safetensors":
            _check(file)


def _check(file: Path) -> None:
    empty: list[str] = []
    for name, spec, raw in _tensors(file):
        kind, number, largest = _KINDS[spec["dtype"]]
        values = raw.view(kind)
        if any(((part & number) > largest).any() for part in _parts(values)):
            raise _broken(file, "the weights hold what is no number", "numbers alone", f"NaN in {name}")
        is_matrix = len(spec["shape"]) > 1 and len(values) >= _LARGE and _UNUSED not in name
        if is_matrix and not any(part.any() for part in _parts(values)):
            empty.append(name)
    if empty:
        got = f"{len(empty)} hold zeros alone: {', '.join(empty[:3])}"
        raise _broken(file, "the weights are only half there", "numbers in every matrix", got)


def _broken(file: Path, what: str, expected: str, got: str) -> BaseModelError:
    fix = "fetch or copy it again, or take another base"
    return BaseModelError(what, where=str(file), expected=expected, got=got, fix=fix)


def _tensors(file: Path) -> Iterator[tuple[str, Mapping[str, Any], np.ndarray]]:
    """Yield the name, the description and the bytes of every floating tensor that is known here."""
    begin, header = read_header(file)
    content = np.memmap(file, np.uint8, mode="r")
    for name, spec in header.items():
        first, last = spec["data_offsets"]
        if spec["dtype"] in _KINDS and math.prod(spec["shape"]):
            yield name, spec, content[begin + first : begin + last]


def _parts(values: np.ndarray) -> Iterator[np.ndarray]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
