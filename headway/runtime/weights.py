"""Take the weights out of a large model, and put them into it, without copying them through a protocol buffer.

onnxruntime parses a model in memory into one copy of it, lifts constants into another, and its own tensors are a
third. Here the large tensors are cut out of the message and handed over beside it, as views of the very bytes that
were verified: one copy is made, and the bytes can go once the session is open.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from headway.runtime.protobuf import fields, integers

# Stands where the path of a file would; onnxruntime finds the data in memory first and never looks for it.
_MEMORY = b"memory"
# Bytes from which on an array is taken out.
LARGE = 65_536

_GRAPH = 7  # in ModelProto
_NODE, _INITIALIZER = 1, 5  # in GraphProto
_OUTPUT, _OP_TYPE, _ATTRIBUTE, _DOMAIN = 2, 4, 5, 7  # in NodeProto
_TENSOR = 5  # in AttributeProto
_DIMS, _TYPE, _TENSOR_NAME, _RAW, _EXTERNAL, _LOCATION = 1, 2, 8, 9, 13, 14  # in TensorProto
# TensorProto.DataType -> numpy
_TYPES = {1: "<f4", 2: "|u1", 3: "|i1", 6: "<i4", 7: "<i8", 10: "<f2", 11: "<f8"}


def lighten(onnx: bytes) -> tuple[bytes, dict[str, np.ndarray]]:
    """Return the model without its large tensors, and these by name as views of `onnx`.

    Initializers and `Constant` nodes of the main graph that hold 64 kB or more as raw data are taken. The model is one
    that `check_model` has passed; what looks odd in it is left for onnxruntime to judge.
    """
    tensors: dict[str, np.ndarray] = {}
    if len(onnx) < LARGE:
        return onnx, {}
    parts: list[bytes] = []
    try:
        for number, kind, value in fields(memoryview(onnx)):
            if number == _GRAPH and kind == 2:
                parts.append(_message(_GRAPH, b"".join(_graph(value, tensors))))
            else:
                parts.append(_field(number, kind, value))
    except (ValueError, IndexError):  # damaged
        return onnx, {}
    return (b"".join(parts), tensors) if tensors else (onnx, {})


def can_lighten(dtype: np.dtype) -> bool:
    """Tell whether arrays of this type are among those that are taken."""
    return dtype.newbyteorder("<").str in _TYPES.values()


def weigh_down(onnx: bytes, tensors: Mapping[str, np.ndarray]) -> bytes:
    """Return the model with `tensors` added as initializers of their names, each copied once."""
    parts: list[bytes | memoryview] = []
    for number, kind, value in fields(memoryview(onnx)):
        if number == _GRAPH and kind == 2 and tensors:
            inside = [part for name, tensor in tensors.items() for part in _initializer(name, tensor)]
            parts += [_key(_GRAPH, 2), _varint(len(value) + sum(map(len, inside))), value, *inside]
        else:
            parts.append(_field(number, kind, value))
    return b"".join(parts)


def _initializer(name: str, tensor: np.ndarray) -> list[bytes | memoryview]:
    """Return the parts of a tensor's field in a graph; the last one is a view of its data."""
    little = np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<"))
    (kind,) = (number for number, text in _TYPES.items() if np.dtype(text) == little.dtype)
    sizes = b"".join(_key(_DIMS, 0) + _varint(size) for size in little.shape)
    named = _message(_TENSOR_NAME, name.encode())
    head = b"".join([sizes, _key(_TYPE, 0), _varint(kind), named, _key(_RAW, 2), _varint(little.nbytes)])
    return [_key(_INITIALIZER, 2), _varint(len(head) + little.nbytes), head, little.reshape(-1).data.cast("B")]


def _graph(graph: memoryview, tensors: dict[str, np.ndarray]) -> Iterator[bytes]:
    """Yield the fields of a graph; the data of large tensors go into `tensors`."""
    for number, kind, value in fields(graph):
        light = None
        if kind == 2 and len(value) >= LARGE and number == _INITIALIZER:
            light = _light_tensor(value, None, tensors)
        elif kind == 2 and len(value) >= LARGE and number == _NODE:
            light = _light_constant(value, tensors)
        yield _field(number, kind, value) if light is None else _message(_INITIALIZER, light)


def _light_constant(node: memoryview, tensors: dict[str, np.ndarray]) -> bytes | None:
    """Return a `Constant` node as a light initializer, or None for any other node."""
    name = operator = domain = b""
    attributes: list[memoryview] = []
    for number, kind, value in fields(node):
        if number == _OUTPUT:
            name = bytes(value)
        elif number == _OP_TYPE:
            operator = bytes(value)
        elif number == _DOMAIN:
            domain = bytes(value)
        elif number == _ATTRIBUTE and kind == 2:
            attributes.append(value)
    # Only now look into the attributes: those of a tree ensemble hold a field for every node of its trees.
    if operator != b"Constant" or domain not in {b"", b"ai.onnx"}:
        return None
    found = [part for attribute in attributes for inner, _, part in fields(attribute) if inner == _TENSOR]
    return _light_tensor(found[-1], name, tensors) if found else None


def _light_tensor(tensor: memoryview, name: bytes | None, tensors: dict[str, np.ndarray]) -> bytes | None:
    """Return a tensor without its raw data, which go into `tensors`; None where it is small or odd.

    `name` is the name it shall have, None for its own.
    """
    parts: list[bytes] = []
    sizes: list[int] = []
    kind_of, raw = 0, memoryview(b"")
    for number, kind, value in fields(tensor):
        if number == _RAW:
            raw = value
            continue
        if number == _TENSOR_NAME:
            name = bytes(value) if name is None else name
            continue
        if number == _DIMS:
            sizes += integers(value)
        elif number == _TYPE:
            kind_of = integers(value)[0]
        parts.append(_field(number, kind, value))
    array = _view(raw, kind_of, sizes)
    if array is None or not name or name.decode() in tensors:
        return None
    tensors[name.decode()] = array
    place = _message(_EXTERNAL, _message(1, b"location") + _message(2, _MEMORY))
    return b"".join([*parts, _message(_TENSOR_NAME, name), place, _key(_LOCATION, 0), b"\x01"])


def _view(raw: memoryview, kind: int, sizes: list[int]) -> np.ndarray | None:
    """Return raw data as an array that shares their memory, or None where they are small or do not fit."""
    if len(raw) < LARGE or kind not in _TYPES:
        return None
    dtype = np.dtype(_TYPES[kind])
    if math.prod(sizes) * dtype.itemsize != len(raw):
        return None
    return np.frombuffer(raw, dtype=dtype).reshape(sizes)


def _field(number: int, kind: int, value: memoryview) -> bytes:
    """Return a field as it was."""
    return _message(number, value) if kind == 2 else _key(number, kind) + bytes(value)


def _message(number: int, content: bytes | memoryview) -> bytes:
    """Return a field that holds bytes."""
    return _key(number, 2) + _varint(len(content)) + bytes(content)


def _key(number: int, kind: int) -> bytes:
    """Return what stands before a field."""
    return _varint(number << 3 | kind)


def _varint(number: int) -> bytes:
    """Return an integer in variable length."""
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    digits.append(number)
    return bytes(digits)
