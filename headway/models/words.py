"""What a label says: its description, or its name as people would write it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from headway.errors import TrainingError
from headway.runtime.manifest import Label
from headway.tasks import Classify

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_JOINTS = re.compile(r"[_\-./|\s]+")
# Two letters in a row, or one of a script that writes words with one.
_WORD = re.compile(r"[^\W\d_]{2}|[\u3400-\u9fff]")


def humanise(label: Label) -> str:
    """Return a label as people would write it: `card_arrival` and `cardArrival` become "card arrival"."""
    return _JOINTS.sub(" ", _HUMP.sub(" ", str(label))).strip()


def wordless(labels: tuple[Label, ...], descriptions: Mapping[str, str]) -> tuple[Label, ...]:
    """Return the labels that say nothing in words, such as 0, 1, "A" and true, and have no description."""
    return tuple(label for label in labels if not _speaks(label) and str(label) not in descriptions)


def label_words(task: Classify) -> tuple[str, ...]:
    """Return what each label says, in the task's order; raises `TrainingError` where one says nothing."""
    mute = wordless(task.labels, task.descriptions)
    if mute:
        raise TrainingError(
            "labels that are no words tell nothing about texts",
            expected="names such as card_arrival, or a description of each label",
            got=", ".join(repr(label) for label in mute[:5]),
            fix=f"describe them in the project file: descriptions: {{{mute[0]}: what such texts are about}}",
        )
    return tuple(task.descriptions.get(str(label)) or humanise(label) for label in task.labels)


def is_described_name(label: Label, descriptions: Mapping[str, str]) -> bool:
    """Tell whether a label says something by its name and has a description too."""
    return _speaks(label) and str(label) in descriptions


def _speaks(label: Label) -> bool:
    return isinstance(label, str) and _WORD.search(label) is not None
