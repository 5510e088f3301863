"""A first project file: every choice with its reason beside it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode

_REASONS_FROM = 34  # the cell at which the comments start, if the line is not longer


@dataclass(frozen=True)
class Choice:
    """One line of the file: a key or a column, what was chosen for it, and why."""

    name: str
    value: str
    reason: str


@dataclass(frozen=True)
class Draft:
    """What `headway init` found out; `inputs` and `ignore` are columns, the value of an input its modality."""

    command: str
    name: str
    data: Choice
    target: Choice
    task: Choice
    inputs: Sequence[Choice]
    ignore: Sequence[Choice] = ()
    remarks: Sequence[str] = ()


def write_draft(draft: Draft) -> str:
    """Return the text of a commented project file that reads back as the draft."""
    lines = [
        f"# Written by `{_fold(draft.command)}`, which looked at the data; each reason stands beside its line.",
        "# Change what you know better, then run `headway check` on this file.",
        "",
        f"name: {quote(draft.name)}",
        *(_line(f"{c.name}: {quote(c.value)}", c.reason) for c in (draft.data, draft.target, draft.task)),
        "",
        "inputs:",
        *(_line(f"  {quote(column.name)}: {column.value}", column.reason) for column in draft.inputs),
    ]
    if draft.ignore:
        lines += ["", "ignore:", *(_line(f"  - {quote(column.name)}", column.reason) for column in draft.ignore)]
    if draft.remarks:
        lines += ["", *(f"# Note: {_fold(remark)}" for remark in draft.remarks)]
    return "\n".join([*lines, "", *_options(draft.task.value), ""])


def quote(text: str) -> str:
    """Return text as a YAML scalar that reads back as the same text, in quotes only where they are needed."""
    if re.fullmatch(r"[\w./*\-]+(?: [\w./*\-()]+)*", text) and _reads_back(text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _reads_back(text: str) -> bool:
    """Tell whether YAML takes the bare text, as a key and as a value, for that very text."""
    try:
        node = YAML(typ="safe", pure=True).compose(f"{text}: {text}\n")
    except YAMLError:
        return False
    if not isinstance(node, MappingNode) or len(node.value) != 1:
        return False
    return all(part.value == text and str(part.tag).endswith(":str") for part in node.value[0])


def _line(content: str, reason: str) -> str:
    """Return a line with its reason as a comment, aligned over lines of Chinese too."""
    cells = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in content)
    return f"{content}{' ' * max(2, _REASONS_FROM - cells)}# {_fold(reason)}" if reason else content


def _fold(text: str) -> str:
    """Return text on one line without characters that a YAML comment may not hold."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def _options(task: str) -> list[str]:
    """Return the settings that most users change next, most of them as comments."""
    metric = "f1_macro" if task == "classify" else "mae"
    return [
        "budget: {time: 5m, memory: 4GB}",
        "",
        "# More keys, each with what happens without it (headway schema lists them all):",
        "# limits: {latency_p95: 20ms, size: 50MB}   # none; measured on the package that ships",
        "# models: [baseline]                        # auto: every family that fits the data competes",
        f"# {f'metric: {metric}':<42}# chosen by the task",
        "# test: test.csv                            # a fifth of the rows is kept aside for the test",
        "# base: all-MiniLM-L6-v2                    # auto: one on this machine; headway bases lists them",
        "# unlabelled: more.csv                      # none; rows of the same inputs without a target",
        "# split: {test: 20%, group: customer}       # rows of one group stay together; time: a date column",
        "# training: {class_weights: balanced}       # every family's own settings",
    ]
