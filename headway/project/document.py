"""A YAML file as plain values, with the line of every key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from headway.errors import Problem, ProjectError

Key = str | int
_LARGEST = 1_000_000  # bytes; a project file is a page of text
_FIX = "look at this line and the one above: indentation, a bracket or quote left open, no blank after a colon"
_FULL_WIDTH_COLON = re.compile(r"^\s*(?:-\s*)?[^\s#:\"'：]+：")


@dataclass(frozen=True)
class Document:
    """The values of a YAML file: mappings with text keys, tuples and scalars.

    `lines`: the line (from 1) of each key or item by its path; `problems`: what was wrong with the YAML itself
    although the values could be read (duplicate keys).
    """

    file: str
    values: Mapping[str, object]
    lines: Mapping[tuple[Key, ...], int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def place(self, path: tuple[Key, ...]) -> str:
        """Return `file:line` of `path`, or of the nearest key above it that has a line."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return f"{self.file}:{self.lines[path[:end]]}"
        return self.file


def read_document(path: Path) -> Document:
    """Read the YAML file at `path`, which must hold one mapping; raises `ProjectError`."""
    text = _read_text(path)
    node = _compose(text, path.name)
    if node is None:
        expected, fix = "at least the keys data and target", "headway init DATA writes one"
        raise _error("the project file is empty", path.name, expected=expected, fix=fix)
    if not isinstance(node, MappingNode):
        hints = _hints(text, path.name)
        if hints:
            raise ProjectError(hints)
        where = f"{path.name}:{node.start_mark.line + 1}"
        fix = f"if it is your data, start with: headway init {path}"
        raise _error("the project file is not a mapping", where, expected="lines such as data: reviews.csv", fix=fix)
    builder = _Builder(path.name)
    values = builder.build(node, ())
    assert isinstance(values, dict)
    return Document(path.name, values, builder.lines, tuple(builder.problems))


def _read_text(path: Path) -> str:
    """Return the decoded file; raises `ProjectError` where it is missing, too large or not UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        fix = "headway init DATA writes one" if isinstance(error, FileNotFoundError) else ""
        raise _error("the project file cannot be read", str(path), got=error.strerror or str(error), fix=fix) from None
    if len(raw) > _LARGEST or b"\0" in raw[:4096].removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")[:1]:
        fix = f"if it is your data, start with: headway init {path}"
        raise _error("this is not a project file", str(path), expected="a page of YAML", fix=fix)
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        where = f"{path.name}:{line}"
        raise _error("the project file is not UTF-8", where, fix="save it as UTF-8 in your editor") from None


def _compose(text: str, file: str) -> Node | None:
    """Return the tree of YAML nodes; raises `ProjectError` with the line and the likely cause."""
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark is not None else file
        hints = _hints(text, file)
        invalid = Problem("this is not valid YAML", where, got=str(error.problem), fix=_FIX)
        raise ProjectError(hints or (invalid,)) from None
    except YAMLError as error:
        raise _error("this is not valid YAML", file, got=" ".join(str(error).split())[:200], fix=_FIX) from None
    except RecursionError:
        raise _error("the project file is nested too deeply", file) from None
    return node


def _hints(text: str, file: str) -> tuple[Problem, ...]:
    """Return the usual slips that make a file invalid: tabs for indentation, a full-width colon."""
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(r" *\t", line):
            what = "a tab at the start of the line"
            problems.append(Problem(what, f"{file}:{number}", expected="spaces", fix="replace the tab by two spaces"))
        elif _FULL_WIDTH_COLON.match(line):
            what, fix = "a full-width colon ：after the key", 'write ": " (a plain colon and a blank)'
            problems.append(Problem(what, f"{file}:{number}", got=line.strip()[:80], fix=fix))
    return tuple(problems)


class _Builder:
    """Turns nodes into plain values, noting lines and duplicate keys on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[tuple[Key, ...], int] = {}
        self.problems: list[Problem] = []
        self._built: dict[int, object] = {}
        self._constructor = YAML(typ="safe", pure=True).constructor

    def build(self, node: Node, path: tuple[Key, ...]) -> object:
        """Return the value of `node`; one that an alias repeats is built once, and never inside itself."""
        if id(node) not in self._built:
            self._built[id(node)] = None
            self._built[id(node)] = self._build_new(node, path)
        return self._built[id(node)]

    def _build_new(self, node: Node, path: tuple[Key, ...]) -> object:
        if isinstance(node, MappingNode):
            return self._build_mapping(node, path)
        if isinstance(node, SequenceNode):
            return tuple(self._build_item(item, (*path, index)) for index, item in enumerate(node.value))
        return self._build_scalar(node)

    def _build_item(self, node: Node, path: tuple[Key, ...]) -> object:
        self.lines[path] = node.start_mark.line + 1
        return self.build(node, path)

    def _build_mapping(self, node: MappingNode, path: tuple[Key, ...]) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            # A key is the text that stands in the file, so that labels 0 and 1 can be keys.
            key = key_node.value if isinstance(key_node, ScalarNode) else "?"
            if key in values:
                what = f'the key "{key}" stands here a second time'
                first = self.lines[(*path, key)]
                self.problems.append(
                    Problem(what, f"{self.file}:{line}", fix=f"keep this one or the one in line {first}")
                )
                continue
            self.lines[(*path, key)] = line
            values[key] = self.build(value_node, (*path, key))
        return values

    def _build_scalar(self, node: Node) -> Any:
        if str(node.tag).endswith(":timestamp"):
            return node.value
        try:
            return self._constructor.construct_object(node, deep=True)
        except (YAMLError, ValueError):
            return node.value


def _error(what: str, where: str, *, expected: str = "", got: str = "", fix: str = "") -> ProjectError:
    return ProjectError((Problem(what, where, expected, got, fix),))
