"""What pydantic found wrong, in our words: where, what, expected, got, did you mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from headway.errors import Problem
from headway.project.document import Document, Key
from headway.project.schema import Part, Project

# A few words that Chinese users write for keys.
_CHINESE_KEYS: Mapping[str, str] = {
    "数据": "data", "目标": "target", "标签": "target", "名称": "name", "名字": "name", "输入": "inputs",
    "忽略": "ignore", "任务": "task", "预算": "budget", "时间": "time", "内存": "memory", "限制": "limits",
    "模型": "models", "指标": "metric", "清洗": "cleaning", "拆分": "split", "训练": "training", "种子": "seed",
    "测试": "test", "基础模型": "base", "预训练模型": "base", "无标签": "unlabelled", "未标注": "unlabelled",
    "压缩": "compress", "增强": "augment",
}  # fmt: skip

_TYPES: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "string_too_short": "some text",
}
_SHARES = frozenset({"test", "valid", "precision", "max_rejected", "drop"})
_BOUNDS: Mapping[str, str] = {
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
}


def word_errors(error: ValidationError, document: Document) -> tuple[Problem, ...]:
    """Return pydantic's errors as problems in the order of the file, one per place."""
    grouped: dict[tuple[Key, ...], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        grouped.setdefault(_find_path(detail["loc"], document.values), []).append(detail)
    # One branch of a union that got deeper into the value is the branch that was meant.
    meant = [path for path in grouped if not any(len(p) > len(path) and p[: len(path)] == path for p in grouped)]
    return tuple(_word(path, grouped[path], document) for path in meant)


def word_unknown(path: tuple[Key, ...], where: str) -> Problem:
    """Word an unknown key, with the nearest known one, or the section in which it would be known."""
    key = str(path[-1])
    part = _part_at(path[:-1])
    known = [name for name in part.model_fields if name != "folder"]
    section = f" in {_name(path[:-1])}" if len(path) > 1 else ""
    if _CHINESE_KEYS.get(key) in known:
        fix = f'keys are English: did you mean "{_CHINESE_KEYS[key]}"?'
    else:
        fix = _suggest_section(key, path) or suggest(key, known)
    return Problem(f'unknown key "{key}"{section}', where, f"one of {', '.join(known)}", "", fix)


def suggest(word: str, choices: Sequence[str]) -> str:
    """Return `did you mean "x"?` where one of `choices` is near `word`, or nothing."""
    folded = {choice.casefold(): choice for choice in reversed(choices)}
    near = get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return f'did you mean "{folded[near[0]]}"?' if near else ""


def describe(value: object) -> str:
    """Return a value as a reader of the file would name it."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 80 else f'"{value[:77]}..."'
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, Mapping | list | tuple):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    return repr(value)[:80]


def _find_path(loc: tuple[Key, ...], values: Any) -> tuple[Key, ...]:
    """Return the path in the file of pydantic's `loc`, which also names branches of unions.

    An entry of a list of models is found by the family's name.
    """
    path: list[Key] = []
    here = values
    for number, key in enumerate(loc):
        if _holds(here, key):
            path.append(key)
            here = here[key]
        elif isinstance(here, list | tuple) and (index := _find_item(key, here)) is not None:
            path.extend([index, key] if isinstance(here[index], Mapping) else [index])
            here = here[index][key] if isinstance(here[index], Mapping) else None
        elif number == len(loc) - 1 and isinstance(here, Mapping) and isinstance(key, str) and not _is_branch(key):
            path.append(key)  # a key that is missing
    return tuple(path)


def _holds(values: Any, key: Key) -> bool:
    if isinstance(values, list | tuple):
        return isinstance(key, int) and key < len(values)
    return isinstance(values, Mapping) and key in values


def _find_item(key: Key, items: Sequence[Any]) -> int | None:
    return next((i for i, item in enumerate(items) if item == key or (isinstance(item, Mapping) and key in item)), None)


def _is_branch(key: str) -> bool:
    """Tell whether pydantic names a branch of a union here, not a key."""
    return key in {"str", "int", "bool", "float"} or "[" in key or key in {part.__name__ for part in _parts(Project)}


def _word(path: tuple[Key, ...], details: Sequence[ErrorDetails], document: Document) -> Problem:
    """Return the one problem at `path`; several details are branches of a union, none of which fitted."""
    first = details[0]
    name = _name(path)
    if first["type"] == "missing":
        return word_missing(path, document)
    where = document.place(path)
    if first["type"] == "extra_forbidden":
        return word_unknown(path, where)
    written = _value_at(path, document.values)
    got = describe(written if isinstance(written, str) else first["input"])
    choices = [choice for detail in details for choice in _choices(detail)]
    expected = " or ".join(dict.fromkeys(filter(None, (_expect(detail) for detail in details))))
    if choices and isinstance(first["input"], str):
        what = f"{name} has no choice {got}"
        return Problem(what, where, expected, "", suggest(first["input"], choices))
    what = f"{name} is empty" if first["type"] == "string_too_short" else f"{name} has a value that does not fit"
    return replace(Problem(what, where, expected, got), fix=_repair(path, first, document))


def word_missing(path: tuple[Key, ...], document: Document) -> Problem:
    """Word a key that must be there and is not, or has nothing after it."""
    meaning = {"data": "the file, folder, glob or URL to read", "target": "the column to predict"}
    if path in document.lines:
        what = f'the key "{_name(path)}" has no value'
        return Problem(what, document.place(path), meaning.get(str(path[-1]), ""))
    what = f'the key "{_name(path)}" is missing'
    example = {"data": "data: reviews.csv", "target": "target: label"}.get(str(path[-1]), "")
    return Problem(what, document.place(path[:-1]), meaning.get(str(path[-1]), ""), "", f"add: {example}")


def _suggest_section(key: str, path: tuple[Key, ...]) -> str:
    """Return where a key that is known elsewhere belongs, or nothing."""
    if len(path) > 1 and key in Project.model_fields:
        return f'"{key}" stands at the top level, not indented'
    known = {name: part for name, part in _sections().items() if name not in (path[0], "models")}
    sections = [name for name, part in known.items() if key in part.model_fields]
    return f"it belongs under {' or '.join(f'{name}:' for name in sections)}" if sections else ""


def _expect(detail: ErrorDetails) -> str:
    """Return what was expected instead, in words."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _BOUNDS:
        return "a number " + _BOUNDS[kind].format(**{key: f"{bound:g}" for key, bound in context.items()})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return "one of " + ", ".join(_choices(detail)) if len(_choices(detail)) > 1 else f'"{_choices(detail)[0]}"'
    return _TYPES.get(kind, detail["msg"])


def _choices(detail: ErrorDetails) -> list[str]:
    """Return the choices of a literal, e.g. `'sgd', 'adam' or 'adamw'`, as a list."""
    if detail["type"] != "literal_error":
        return []
    return [part.strip().strip("'") for part in detail["ctx"]["expected"].replace(" or ", ",").split(",")]


def _repair(path: tuple[Key, ...], detail: ErrorDetails, document: Document) -> str:
    """Return the next step for slips that are easy to name."""
    value = detail["input"]
    if path == ("budget",) and isinstance(value, str | int | float) and not isinstance(value, bool):
        return f"did you mean budget: {{time: {_with_unit(value)}}}?"
    if path[-1:] == ("time",) and detail["type"] == "value_error" and _is_bare_number(value):
        return f"did you mean {_with_unit(value)}?"
    if detail["type"] == "string_type" and isinstance(value, int | float):
        return f'put it in quotes: {path[-1]}: "{str(value).lower() if isinstance(value, bool) else value}"'
    if detail["type"] in {"less_than", "less_than_equal"} and isinstance(value, int | float) and 1 < value <= 100:
        # The value of `120%` arrives here as 1.2.
        written = _value_at(path, document.values)
        return f"did you mean {value:g}%?" if path[-1] in _SHARES and not isinstance(written, str) else ""
    if detail["type"] == "tuple_type" and isinstance(value, str):
        return f"put it in brackets: {path[-1]}: [{value}]"
    return ""


def _value_at(path: tuple[Key, ...], values: Any) -> object:
    """Return what the file says at `path`."""
    for key in path:
        if not _holds(values, key):
            return None
        values = values[key]
    return values


def _with_unit(value: str | float) -> str:
    """Return a duration with its unit: seconds where there is none."""
    return f"{value}s" if _is_bare_number(value) else str(value)


def _is_bare_number(value: object) -> bool:
    return str(value).replace(".", "", 1).isdecimal()


def _name(path: tuple[Key, ...]) -> str:
    """Return `training.epochs`, or `models.cnn.dropout` whether models is a list or a mapping."""
    words = [str(key) for index, key in enumerate(path) if not (isinstance(key, int) and index + 1 < len(path))]
    return ".".join(words) or "the project"


def _part_at(path: tuple[Key, ...]) -> type[Part]:
    """Return the part of the schema that describes the mapping at `path`."""
    part: type[Part] = Project
    for key in path:
        if isinstance(key, str) and key in part.model_fields:
            part = next(iter(_parts_in(part.model_fields[key].annotation)), part)
    return part


def _sections() -> dict[str, type[Part]]:
    return {name: part for name in Project.model_fields for part in _parts_in(Project.model_fields[name].annotation)}


def _parts(part: type[Part]) -> list[type[Part]]:
    return [part, *(inner for field in part.model_fields.values() for inner in _parts_in(field.annotation))]


def _parts_in(annotation: Any) -> list[type[Part]]:
    """Return the parts that a type annotation mentions."""
    origin = get_origin(annotation)
    if origin is None:
        return [annotation] if isinstance(annotation, type) and issubclass(annotation, Part) else []
    return [] if origin is Literal else [part for inner in get_args(annotation) for part in _parts_in(inner)]
