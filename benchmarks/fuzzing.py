"""Requests made from the OpenAPI document of a service: sound ones, and ones that break it in one place each.

    python -m benchmarks.fuzzing URL [COUNT]

Every malformed request has to be answered with 4xx, every sound one with 2xx, and none may hang.
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
import re
import string
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

JSON = "application/json"
# One request in so many is sound.
SOUND = 10
CLIENTS, SECONDS = 8, 120.0
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_KINDS = ("text/plain", "application/xml", "application/octet-stream", "application/jsonx", "image/png", "json", "")
_LENGTHS = ("content-length: -1", "content-length: many", "content-length: 1\r\ncontent-length: 2",
            "transfer-encoding: zip")  # fmt: skip
_OF_TYPE: Mapping[str, tuple[Any, ...]] = {
    "object": ({}, {"a": 1}), "array": ([], [1, [2]]), "string": ("", "x", "\0" * 9, "🙂" * 3000),
    "number": (1.5, -1e308, 5e-324), "boolean": (True, False), "null": (None,),
}  # fmt: skip
# What no JSON value of Python spells is put in place of this text.
_HOLE = "\x01hole\x01"


@dataclass(frozen=True)
class Operation:
    """One way to ask: its schema and an example where it takes JSON, and all that is declared of its bodies."""

    method: str
    path: str
    schema: Mapping[str, Any] | None
    examples: Sequence[Any]
    kinds: frozenset[str]
    methods: frozenset[str]


@dataclass(frozen=True)
class Attempt:
    """A request as bytes, and what is wrong with it; nothing where it is sound."""

    wrong: str
    operation: Operation
    content: bytes


@dataclass
class Seen:
    """What came back: statuses by what was wrong, answers that should have been others, and requests without one."""

    statuses: Counter[str] = field(default_factory=Counter)
    unlike: list[tuple[str, str, str]] = field(default_factory=list)
    hung: list[tuple[str, str]] = field(default_factory=list)
    sound: int = 0
    seconds: float = 0.0


def fuzz(url: str, count: int, *, seed: int = 0) -> Seen:
    """Send `count` malformed requests and the sound ones between them; return what came back."""
    operations = read_operations(httpx.get(f"{url}/openapi.json", timeout=SECONDS).json())
    attempts = list(make_attempts(operations, count, random.Random(seed)))
    return asyncio.run(_send(attempts, urlsplit(url).port or 80))


def read_operations(document: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of an OpenAPI document."""
    found = []
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            content = told.get("requestBody", {}).get("content", {})
            asked = content.get(JSON, {})
            examples = [each["value"] for each in asked.get("examples", {}).values()]
            examples += [asked["example"]] if "example" in asked else []
            schema = _resolved(asked["schema"], document) if asked else None
            names = frozenset(name.upper() for name in methods)
            found.append(Operation(method.upper(), path, schema, examples, frozenset(content), names))
    return found


def _resolved(schema: Any, document: Mapping[str, Any]) -> Any:
    """Return a schema with its references followed."""
    if isinstance(schema, list):
        return [_resolved(each, document) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        found: Any = document
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return _resolved(found, document)
    return {name: _resolved(each, document) for name, each in schema.items()}


def make_attempts(operations: Sequence[Operation], count: int, generator: random.Random) -> Iterator[Attempt]:
    """Yield `count` malformed requests over all operations, and a sound one before every so many."""
    asking = [each for each in operations if each.schema is not None]
    for number in range(count):
        if number % SOUND == 0:
            operation = asking[number // SOUND % len(asking)]
            yield Attempt("", operation, write_request(operation, dumped(make_sound(operation, generator))))
        yield malformed(generator.choice([*asking * 4, *operations]), generator)


def make_sound(operation: Operation, generator: random.Random) -> Any:
    """Return a body that keeps the schema: an example, with empty cells and further fields here and there."""
    body = copy.deepcopy(generator.choice(operation.examples))
    for _, schema, value in list(places(operation.schema, body)):
        if not isinstance(value, dict):
            continue
        for name, own in schema.get("properties", {}).items():
            if name in schema.get("required", ()):
                if "null" in own.get("type", ()) and "title" in own and generator.random() < 0.2:
                    value[name] = None
            elif name not in value and name != "model" and generator.random() < 0.3:
                value[name] = _instance(own, generator)
    return body


def _instance(schema: Mapping[str, Any], generator: random.Random) -> Any:
    """Return a plain value that keeps a schema."""
    if "enum" in schema:
        return generator.choice(schema["enum"])
    if "boolean" in schema["type"]:
        return generator.random() < 0.5
    if {"number", "integer"} & {*_types(schema)}:
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return generator.randint(least, min(schema.get("maximum", least + 30), least + 30))
    return "".join(generator.choices(string.printable + "好é🙂", k=generator.randint(1, schema.get("maxLength", 50))))


def places(schema: Any, value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Yield path, schema and value of each place in a body that its schema speaks of."""
    if not schema:
        return
    yield path, schema, value
    if isinstance(value, dict):
        for name, own in schema.get("properties", {}).items():
            if name in value:
                yield from places(own, value[name], (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from places(schema.get("items"), each, (*path, number))


def malformed(operation: Operation, generator: random.Random) -> Attempt:
    """Return a request that breaks the document in one place."""
    ways: list[Callable[[Operation, random.Random], tuple[str, bytes] | None]] = [_wrong_method, _wrong_path]
    if operation.schema is not None:
        ways += [_wrong_kind, _wrong_length, _wrong_text, _wrong_text, *[_wrong_body] * 8]
    while True:
        made = generator.choice(ways)(operation, generator)
        if made is not None:
            return Attempt(made[0], operation, made[1])


def write_request(
    operation: Operation, body: bytes, *, kind: str = JSON, method: str = "", path: str = "", length: str = ""
) -> bytes:
    """Return a request as bytes."""
    first = f"{method or operation.method} {path or operation.path} HTTP/1.1"
    kinds = [f"content-type: {kind}"] if kind else []
    lines = [first, "host: localhost", *kinds, length or f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def dumped(body: Any) -> bytes:
    """Return a body as JSON."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _wrong_method(operation: Operation, generator: random.Random) -> tuple[str, bytes]:
    method = generator.choice([each for each in _METHODS if each not in operation.methods])
    return f"method {method}", write_request(operation, b"", method=method)


def _wrong_path(operation: Operation, generator: random.Random) -> tuple[str, bytes]:
    path = operation.path + generator.choice(("/", "x", "/0", "%00", "%ff", "/../nothing", ";a=1", "%2f" * 900))
    return "path", write_request(operation, b"{}", path=path)


def _wrong_kind(operation: Operation, generator: random.Random) -> tuple[str, bytes]:
    kind = generator.choice(_KINDS)
    return f"content type {kind or 'absent'}", write_request(
        operation, dumped(make_sound(operation, generator)), kind=kind
    )


def _wrong_length(operation: Operation, generator: random.Random) -> tuple[str, bytes]:
    """Say what no length is; the body, which would be read as the next request, is left out."""
    length = generator.choice(_LENGTHS)
    return length.partition("\r")[0], write_request(operation, b"", length=length)


def _wrong_text(operation: Operation, generator: random.Random) -> tuple[str, bytes]:
    """Return a body that is no JSON, or none in UTF-8."""
    text = dumped(make_sound(operation, generator))
    middle = generator.randrange(1, len(text))
    name, body = generator.choice([
        ("truncated JSON", text[:middle]),
        ("more after the JSON", text + generator.choice((b"}", b"{}", b"\0", text))),
        ("UTF-16", text.decode().encode("utf-16")),
        ("UTF-32", text.decode().encode("utf-32-le")),
        ("a mark of the byte order", b"\xef\xbb\xbf" + text),
        ("latin-1", b'{"\xe9": "\xfc"}'),
        ("a lone surrogate", b'{"a": "\\ud800"}'),
        ("no bytes", b""),
        ("noise", b"\xff" + generator.randbytes(generator.choice((1, 100, 70_000)))),
        ("nesting without an end", generator.choice((b"[", b'{"a":')) * 100_000),
        ("single quotes", repr(make_sound(operation, generator)).encode("utf-8", "surrogatepass")),
    ])  # fmt: skip
    return name, write_request(operation, body)


def _wrong_body(operation: Operation, generator: random.Random) -> tuple[str, bytes] | None:
    """Return JSON that its schema refuses, or that holds what JSON has no words for; None where this way has none."""
    body = make_sound(operation, generator)
    if "partial" in body:  # else a wrong cell is told beside the answers of the other rows
        body["partial"] = False
    path, schema, value = generator.choice(list(places(operation.schema, body)))
    way = generator.choice((_other_type, _other_type, _missing, _extra, _beyond, _unspeakable))
    made = way(schema, value, generator)
    if made is None:
        return None
    name, wrong, literal = made
    content = dumped(_with(body, path, wrong))
    if literal:
        content = content.replace(dumped(_HOLE), literal)
    place = ".".join("*" if isinstance(each, int) else each for each in path) or "body"
    return f"{name} at {place}", write_request(operation, content)


_Wrong = tuple[str, Any, bytes]


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    kinds = schema.get("type", ())
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


def _other_type(schema: Mapping[str, Any], _: Any, generator: random.Random) -> _Wrong | None:
    allowed = {*_types(schema), *({type(each) for each in schema.get("enum", ())} and {"string"})}
    if not allowed or "anyOf" in schema:
        return None
    others = [kind for kind in _OF_TYPE if kind not in allowed and not (kind == "number" and "integer" in allowed)]
    return "another type", generator.choice(_OF_TYPE[generator.choice(others)]), b""


def _missing(schema: Mapping[str, Any], value: Any, generator: random.Random) -> _Wrong | None:
    required = [name for name in schema.get("required", ()) if isinstance(value, dict) and name in value]
    if not required:
        return None
    gone = generator.choice(required)
    return f"no {gone}", {name: each for name, each in value.items() if name != gone}, b""


def _extra(schema: Mapping[str, Any], value: Any, generator: random.Random) -> _Wrong | None:
    if schema.get("additionalProperties") is not False or not isinstance(value, dict):
        return None
    name = generator.choice(
        ("Rows", "__proto__", "", "\0", "a" * 10_000, "".join(generator.choices(string.printable, k=5)))
    )
    return "a further field", {**value, name: 1}, b""


def _beyond(schema: Mapping[str, Any], value: Any, generator: random.Random) -> _Wrong | None:
    """Return a value of the right type beyond a bound of the schema."""
    found: list[tuple[str, Any]] = []
    if "minimum" in schema:
        found += [("minimum", schema["minimum"] - 1), ("minimum", -(10**30))]
    if "exclusiveMinimum" in schema:
        found += [("exclusiveMinimum", schema["exclusiveMinimum"]), ("exclusiveMinimum", -1e308)]
    if "maximum" in schema:
        found += [("maximum", schema["maximum"] + 1), ("maximum", 10**30)]
    if schema.get("minItems"):
        found.append(("minItems", []))
    if "maxItems" in schema and value:
        found.append(("maxItems", [value[0]] * (schema["maxItems"] + 1)))
    if schema.get("minLength"):
        found.append(("minLength", ""))
    if "maxLength" in schema:
        found.append(("maxLength", "字" * (schema["maxLength"] + 1)))
    if "enum" in schema:
        found.append(("enum", "none of them"))
    if not found:
        return None
    name, wrong = generator.choice(found)
    return f"beyond {name}", wrong, b""


def _unspeakable(schema: Mapping[str, Any], _: Any, generator: random.Random) -> _Wrong | None:
    """Return what JSON knows no word for, or what is nested deeper than any schema here."""
    nested = [("nested deeply", b"[" * depth + b"]" * depth) for depth in (100, 1_000, 100_000)]
    nested += [("nested deeply", b'{"a":' * depth + b"1" + b"}" * depth) for depth in (100, 50_000)]
    literals = [(word.decode(), word) for word in (b"NaN", b"Infinity", b"-Infinity", b"undefined", b"0x10", b"01")]
    literals += [("a huge number", word) for word in (b"1e999", b"-1e999", b"9" * 400)]
    allowed = _types(schema)
    free = not allowed or {"object", "array"} & {*allowed}
    name, literal = generator.choice(literals if free else [*nested, *literals])
    return name, _HOLE, literal


def _with(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a body with another value at a place."""
    if not path:
        return value
    copied = copy.copy(body)
    copied[path[0]] = _with(body[path[0]], path[1:], value)
    return copied


async def _send(attempts: Sequence[Attempt], port: int) -> Seen:
    """Send the requests over a few connections, each of which asks as soon as it was answered."""
    seen, began = Seen(), time.monotonic()
    await asyncio.gather(*(_ask(attempts[start::CLIENTS], port, seen) for start in range(CLIENTS)))
    seen.seconds = time.monotonic() - began
    return seen


async def _ask(attempts: Sequence[Attempt], port: int, seen: Seen) -> None:
    reader = writer = None
    for attempt in attempts:
        where = f"{attempt.operation.method} {attempt.operation.path}"
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert reader is not None
            status, is_over = await asyncio.wait_for(_exchange(attempt.content, reader, writer), SECONDS)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            seen.hung.append((attempt.wrong or "sound", where))
            status, is_over = "", True
        if is_over and writer is not None:
            writer.close()
            reader = writer = None
        _note(attempt, status, where, seen)
    if writer is not None:
        writer.close()


async def _exchange(content: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, bool]:
    """Return the status of the answer, and whether the connection is used up."""
    writer.write(content)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: *(\d+)", head)
    await reader.readexactly(int(length[1]) if length else 0)
    return head[9:12].decode(), length is None or b"connection: close" in head


def _note(attempt: Attempt, status: str, where: str, seen: Seen) -> None:
    if not status:
        return
    if attempt.wrong:
        seen.statuses[status] += 1
    else:
        seen.sound += status.startswith("2")
    if not status.startswith("4" if attempt.wrong else "2"):
        seen.unlike.append((attempt.wrong or "sound", where, status))


if __name__ == "__main__":
    told = fuzz(sys.argv[1], int((sys.argv[2:] or ["300"])[0]))
    print(dict(told.statuses), f"{told.sound} sound ones answered,", f"{len(told.hung)} without an answer")
    for line in (*told.unlike, *told.hung):
        print("unlike the document:", *line)
    sys.exit(bool(told.unlike or told.hung))
