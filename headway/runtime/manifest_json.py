"""The manifest as JSON, read strictly: a forged one is refused in words and never breaks anything."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from headway.errors import PackageError
from headway.runtime.manifest import FORMAT_VERSION, Feed, History, Manifest
from headway.runtime.manifest_rules import check_manifest

MAX_BYTES = 16_000_000
_DIGEST = "digest"

_FEEDS: dict[str, type] = {feed.__dataclass_fields__["kind"].default: feed for feed in get_args(Feed)}


def to_json(manifest: Manifest) -> str:
    """Return the manifest as indented JSON; a figure that is NaN or infinite becomes null.

    Raises `PackageError` where the manifest breaks a rule that `from_json` checks.
    """
    check_manifest(manifest)
    plain = _plain(dataclasses.asdict(manifest))
    if not manifest.targets:
        del plain["targets"]  # so that readers who do not know several targets open all other packages
    plain[_DIGEST] = _digest(plain)
    return json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def from_json(text: str | bytes) -> Manifest:
    """Return the manifest that `text` holds; raises `PackageError` that names the place and what was expected.

    One that was changed after it was written is refused; one without a digest is taken as it is.
    """
    if len(text) > MAX_BYTES:
        raise _refuse("", f"at most {MAX_BYTES} bytes", f"{len(text)} bytes")
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        json.dumps(document, ensure_ascii=False).encode()  # lone surrogates could not be shown or written later
    except PackageError:
        raise
    except (ValueError, RecursionError, OverflowError) as error:
        raise _refuse("", "JSON in UTF-8", str(error)[:200]) from error
    version = document.get("format_version") if isinstance(document, dict) else None
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise PackageError(
            "the package has an unknown format version",
            where="manifest.json",
            expected=f"format_version {FORMAT_VERSION}",
            got=_short(version),
            fix="update headway, or package the model again",
        )
    told = document.pop(_DIGEST, None)
    manifest = cast("Manifest", _dataclass(document, Manifest, ""))
    check_manifest(manifest)
    if told is not None and told != (found := _digest(document)):
        raise PackageError(
            "the manifest of the package was changed after it was written",
            where="manifest.json",
            expected=f"the sha256 {_short(told)} over its other keys",
            got=found,
            fix="copy the package again, or package the model again",
        )
    return manifest


def _digest(document: Mapping[str, Any]) -> str:
    """Return the sha256 of a manifest as JSON, its keys in order and without blanks."""
    read = json.loads(json.dumps(document))  # keys that are numbers become text, as a reader finds them
    plain = json.dumps(read, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def feeds_to_json(feeds: Sequence[Feed]) -> str:
    """Return feeds alone as JSON."""
    return json.dumps([_plain(dataclasses.asdict(feed)) for feed in feeds], ensure_ascii=False)


def feeds_from_json(text: str | bytes) -> tuple[Feed, ...]:
    """Return the feeds that `feeds_to_json` wrote; raises `PackageError` like `from_json`."""
    return tuple(_feed(feed, f"feeds[{position}]") for position, feed in enumerate(json.loads(text)))


def history_to_json(history: History) -> str:
    """Return what is told of the past alone as JSON."""
    return json.dumps(_plain(dataclasses.asdict(history)), ensure_ascii=False)


def history_from_json(text: str | bytes) -> History:
    """Return the history that `history_to_json` wrote; raises `PackageError` like `from_json`."""
    return cast("History", _dataclass(json.loads(text), History, "history"))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; a key that comes twice would mean different things to different readers."""
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        raise _refuse("", "each key once", f"{next(name for name in names if names.count(name) > 1)!r} twice")
    return result


def _constant(name: str) -> float:
    """Refuse NaN and Infinity, which JSON does not know."""
    raise _refuse("", "finite numbers", name)


def _plain(value: Any) -> Any:
    """Return a value with tuples as lists and figures that JSON cannot hold as None."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _dataclass(value: Any, kind: type, where: str) -> Any:
    """Return `value` as the dataclass `kind`: no unknown keys, none missing that has no default."""
    if not isinstance(value, dict):
        raise _refuse(where, "an object", value)
    hints = _hints(kind)
    for key in value:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1)
            raise _refuse(
                where, f"no key {key[:60]!r}" + (f"; did you mean {near[0]!r}?" if near else ""), "an unknown key"
            )
    for field in dataclasses.fields(kind):
        no_default = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if no_default and field.name not in value:
            raise _refuse(where, f"the key {field.name!r}", "no such key")
    return kind(**{key: _value(item, hints[key], f"{where}.{key}") for key, item in value.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields."""
    return get_type_hints(kind)


def _value(value: Any, kind: Any, where: str) -> Any:
    """Return `value` as the type `kind` says; raises `PackageError` where it is another."""
    origin = get_origin(kind)
    if kind == Feed:
        return _feed(value, where)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(value, kind, where)
    if origin in {Union, types.UnionType}:
        return _union(value, kind, where)
    if origin is tuple:
        return _tuple(value, get_args(kind), where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(value, get_args(kind)[1], where)
    return _scalar(value, kind, where)


def _feed(value: Any, where: str) -> Any:
    """Return the feed whose `kind` the object names."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _FEEDS:
        raise _refuse(f"{where}.kind", f"one of {', '.join(_FEEDS)}", kind)
    return _dataclass(value, _FEEDS[kind], where)


def _union(value: Any, kind: Any, where: str) -> Any:
    """Return `value` as one of several types; JSON's own types tell them apart."""
    options = get_args(kind)
    if value is None and type(None) in options:
        return None
    options = tuple(option for option in options if option is not type(None))
    if len(options) == 1:
        return _value(value, options[0], where)
    if type(value) in options:
        return value
    if type(value) is int and float in options and abs(value) < 2**53:
        return float(value)
    raise _refuse(where, " or ".join(_NAMES.get(option, str(option)) for option in options), value)


def _mapping(value: Any, kind: Any, where: str) -> dict[str, Any]:
    """Return an object whose values are all of one type."""
    if not isinstance(value, dict):
        raise _refuse(where, "an object", value)
    return {key: _value(item, kind, f"{where}.{key}"[:200]) for key, item in value.items()}


def _tuple(value: Any, kinds: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    """Return a list as a tuple of one type and any length, or of given types."""
    if not isinstance(value, list):
        raise _refuse(where, "a list", value)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _refuse(where, f"a list of {len(kinds)}", f"{len(value)} items")
    pairs = enumerate(zip(value, kinds, strict=True))
    return tuple(_value(item, kind, f"{where}[{number}]") for number, (item, kind) in pairs)


def _scalar(value: Any, kind: Any, where: str) -> Any:
    """Return text, one of given words, a truth value, or a number; null is a figure that was not computed (NaN)."""
    if get_origin(kind) is Literal:
        if isinstance(value, str) and value in get_args(kind):
            return value
        raise _refuse(where, " or ".join(map(str, get_args(kind))), value)
    if kind is float:
        if value is None:
            return math.nan
        if type(value) in {int, float} and abs(value) < 1e300:
            return float(value)
    elif type(value) is kind and (kind is not int or abs(value) < 2**63):
        return value
    raise _refuse(where, _NAMES.get(kind, str(kind)), value)


_NAMES: dict[Any, str] = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}


def _refuse(where: str, expected: str, got: Any) -> PackageError:
    """Return the error for one place in the manifest."""
    place = f"manifest.json, {where.lstrip('.')}" if where else "manifest.json"
    return PackageError("the manifest cannot be understood", where=place, expected=expected, got=_short(got))


def _short(value: Any) -> str:
    """Return a value for a message, on one line and short."""
    text = value if isinstance(value, str) else repr(value)
    return text[:80].encode("unicode_escape").decode() if not text[:80].isprintable() else text[:80]
