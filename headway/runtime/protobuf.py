"""A look into a serialised ONNX model before onnxruntime gets it, without the onnx package.

Only the wire format of protocol buffers is walked (protobuf.dev/programming-guides/encoding); the field numbers are
those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator

from headway.errors import PackageError

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})

_GRAPH, _OPSET, _FUNCTION = 7, 8, 25  # in ModelProto
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15  # in GraphProto; a function has its nodes in field 7
_OP_TYPE, _ATTRIBUTE, _DOMAIN = 4, 5, 7  # in NodeProto
_EXTERNAL, _LOCATION = 13, 14  # in TensorProto
_TENSORS, _GRAPHS, _SPARSES = (5, 10), (6, 11), (22, 23)  # in AttributeProto

# field number, wire type, payload
Field = tuple[int, int, memoryview]


def check_model(onnx: bytes) -> None:
    """Refuse a model that keeps data in other files or uses operators beyond `DOMAINS`, naming them.

    Raises `PackageError`, also for bytes that are no protocol buffer. The model is walked only where its
    operator sets or the key "location" (which external data must have) make it suspect; else this costs microseconds.
    """
    try:
        foreign = _foreign_domains(memoryview(onnx))
        if not foreign and b"location" not in onnx:
            return
        operators, external = _walk(memoryview(onnx))
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise PackageError("the graph is damaged", expected="a valid ONNX model", got=str(error)) from error
    if external:
        raise PackageError("the graph keeps data in other files", expected="all weights inside the model")
    used = sorted(f"{domain}::{name}" for domain, name in operators if domain not in DOMAINS)
    if used or foreign:
        raise PackageError(
            f"the graph uses foreign operators: {', '.join(used or foreign)}",
            expected="operators of ai.onnx, ai.onnx.ml and com.microsoft",
            fix="open it only with the program it was made for; Headway runs no foreign code",
        )


def _foreign_domains(model: memoryview) -> list[str]:
    """Return the operator sets of a model beyond `DOMAINS`."""
    found: set[str] = set()
    for number, _, value in fields(model):
        if number == _OPSET:
            found.update(bytes(text).decode() for inner, _, text in fields(value) if inner == 1)
        elif number == _FUNCTION:
            found.update(bytes(text).decode() for inner, _, text in fields(value) if inner == 10)
    return sorted(found - DOMAINS)


def _walk(model: memoryview) -> tuple[set[tuple[str, str]], bool]:
    """Return all (domain, operator) of a model with its subgraphs and functions, and whether data lies outside."""
    operators: set[tuple[str, str]] = set()
    external = False
    graphs = [value for number, kind, value in fields(model) if number == _GRAPH and kind == 2]
    nodes = [
        node
        for number, kind, value in fields(model)
        if number == _FUNCTION and kind == 2
        for inner, inner_kind, node in fields(value)
        if inner == 7 and inner_kind == 2
    ]
    while graphs or nodes:
        if graphs:
            for number, kind, value in fields(graphs.pop()):
                if number == _NODE and kind == 2:
                    nodes.append(value)
                elif number == _INITIALIZER and kind == 2:
                    external |= _is_external(value)
                elif number == _SPARSE and kind == 2:
                    external |= _is_sparse_external(value)
        else:
            operator, inner_graphs, outside = _node(nodes.pop())
            operators.add(operator)
            graphs += inner_graphs
            external |= outside
    return operators, external


def _node(node: memoryview) -> tuple[tuple[str, str], list[memoryview], bool]:
    """Return (domain, operator), the subgraphs of one node, and whether a tensor of it lies outside."""
    name = domain = ""
    graphs: list[memoryview] = []
    external = False
    for number, _, value in fields(node):
        if number == _OP_TYPE:
            name = bytes(value).decode()
        elif number == _DOMAIN:
            domain = bytes(value).decode()
        elif number == _ATTRIBUTE:
            for inner, inner_kind, part in fields(value):
                if inner in _GRAPHS and inner_kind == 2:
                    graphs.append(part)
                elif inner in _TENSORS and inner_kind == 2:
                    external |= _is_external(part)
                elif inner in _SPARSES and inner_kind == 2:
                    external |= _is_sparse_external(part)
    return (domain, name), graphs, external


def _is_external(tensor: memoryview) -> bool:
    """Tell whether the data of a tensor lie in another file."""
    return any(
        number == _EXTERNAL or (number == _LOCATION and bytes(value) != b"\0") for number, _, value in fields(tensor)
    )


def _is_sparse_external(tensor: memoryview) -> bool:
    """Tell whether the values (field 1) or the indices (2) of a sparse tensor lie in another file."""
    return any(_is_external(value) for number, kind, value in fields(tensor) if number in {1, 2} and kind == 2)


def fields(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message; raises ValueError or IndexError where it is damaged."""
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        kind = key & 7
        start = position
        if kind == 0:
            _, position = _varint(message, position)
        elif kind == 1:
            position += 8
        elif kind == 5:
            position += 4
        elif kind == 2:
            length, start = _varint(message, position)
            position = start + length
        else:
            raise ValueError(f"wire type {kind}")
        if position > end:
            raise ValueError("it ends too early")
        yield key >> 3, kind, message[start:position]


def integers(payload: memoryview) -> list[int]:
    """Return the integers of a field, which may be one or several packed together."""
    values, position = [], 0
    while position < len(payload):
        value, position = _varint(payload, position)
        values.append(value)
    return values


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return a variable-length integer and the position after it."""
    value = shift = 0
    while shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise ValueError("an integer is too long")
