"""A first project file: every choice with its reason beside it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode

_REASONS_FROM = 34  # the cell at which the comments start, if the line is not longer

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "written": "Written by `{command}`, which looked at the data; each reason stands beside its line.",
        "change": "Change what you know better, then run `headway check` on this file.",
        "note": "Note: {remark}",
        "more": "More keys, each with what happens without it (headway schema lists them all):",
        "limits": "none; measured on the package that ships",
        "models": "auto: every family that fits the data competes",
        "metric": "chosen by the task",
        "test": "a fifth of the rows is kept aside for the test",
        "test_of_text": "the last tenth of the text is kept aside for the test",
        "test_of_pictures": "a fifth of the pictures is kept aside for the test",
        "base": "auto: one on this machine; headway bases lists them",
        "unlabelled": "none; rows of the same inputs without a target",
        "split": "rows of one group stay together; time: a date column",
        "training": "every family's own settings",
    },
    "zh": {
        "written": "由 `{command}` 查看数据后写出；每一行旁边写明了理由。",
        "change": "请改正您更清楚的地方，然后对本文件运行 `headway check`。",
        "note": "注意：{remark}",
        "more": "更多的键，旁边写明不写时会怎样（headway schema 列出全部）：",
        "limits": "不限；在交付的模型包上实测",
        "models": "auto：所有适合数据的候选模型都参加比选",
        "metric": "由任务决定",
        "test": "自动留出五分之一的行用于测试",
        "test_of_text": "自动留出最后十分之一的文本用于测试",
        "test_of_pictures": "自动留出五分之一的图片用于测试",
        "base": "auto：用本机已有的；headway bases 列出它们",
        "unlabelled": "无；同样输入、没有目标的行",
        "split": "同一组的行不分开；time: 日期列",
        "training": "各候选模型自己的设置",
    },
}


@dataclass(frozen=True)
class Choice:
    """One line of the file: a key or a column, what was chosen for it, and why."""

    name: str
    value: str
    reason: str


@dataclass(frozen=True)
class Draft:
    """What `headway init` found out; `inputs` and `ignore` are columns, the value of an input its modality.

    A running text to learn to write from, or pictures to learn to draw from (`draws`), have neither target nor inputs.
    """

    command: str
    name: str
    data: Choice
    target: Choice | None
    task: Choice
    inputs: Sequence[Choice] = ()
    ignore: Sequence[Choice] = ()
    remarks: Sequence[str] = ()
    draws: bool = False


def write_draft(draft: Draft, language: Literal["en", "zh"] = "en") -> str:
    """Return the text of a commented project file that reads back as the draft, its own comments in `language`."""
    words = _WORDS[language]
    lines = [
        f"# {words['written'].format(command=_fold(draft.command))}",
        f"# {words['change']}",
        "",
        f"name: {quote(draft.name)}",
        *(_line(f"{c.name}: {quote(c.value)}", c.reason) for c in (draft.data, draft.target, draft.task) if c),
    ]
    if draft.inputs:
        lines += ["", "inputs:"]
        lines += [*(_line(f"  {quote(column.name)}: {column.value}", column.reason) for column in draft.inputs)]
    if draft.ignore:
        lines += ["", "ignore:", *(_line(f"  - {quote(column.name)}", column.reason) for column in draft.ignore)]
    if draft.remarks:
        lines += ["", *(f"# {words['note'].format(remark=_fold(remark))}" for remark in draft.remarks)]
    return "\n".join([*lines, "", *_options(draft.task.value, words, draws=draft.draws), ""])


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


def _options(task: str, words: Mapping[str, str], *, draws: bool) -> list[str]:
    """Return the settings that most users change next, most of them as comments."""
    offered = {
        "limits": "{latency_p95: 20ms, size: 50MB}",
        "models": "[baseline]",
        "metric": "f1_macro" if task == "classify" else "mae",
        "test": "test.csv",
        "base": "all-MiniLM-L6-v2",
        "unlabelled": "more.csv",
        "split": "{test: 20%, group: customer}",
        "training": "{class_weights: balanced}",
    }
    if task == "generate":
        offered = {key: value for key, value in offered.items() if key in ("limits", "test", "training")}
        offered |= {"limits": "{size: 20MB}", "test": "test.txt", "training": "{dropout: 0.1}"}
        words = {**words, "test": words["test_of_text"]}
    if draws:
        offered = {"limits": "{size: 20MB}", "test": "more_pictures", "training": "{learning_rate: 2e-4}"}
        words = {**words, "test": words["test_of_pictures"]}
    return [
        "budget: {time: 5m, memory: 4GB}",
        "",
        f"# {words['more']}",
        *(f"# {f'{key}: {value}':<42}# {words[key]}" for key, value in offered.items()),
    ]
