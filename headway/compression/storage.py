"""Verdicts as JSON, so that the report of a run can be written again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from headway.compression.gate import Change
from headway.compression.verdict import Verdict
from headway.compute.drafts import whole_file
from headway.package.measuring import Measured


def save_verdicts(path: Path, verdicts: Sequence[Verdict], *, drop: float) -> None:
    """Write verdicts and the drop that was allowed, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft:
        plain = {"drop": drop, "verdicts": [asdict(verdict) for verdict in verdicts]}
        draft.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")


def load_verdicts(path: Path) -> tuple[tuple[Verdict, ...], float] | None:
    """Return the verdicts and the drop kept in a file, or None where there is none."""
    if not path.exists():
        return None
    plain = json.loads(path.read_text(encoding="utf-8"))
    return tuple(_verdict(each) for each in plain["verdicts"]), float(plain["drop"])


def _verdict(plain: Mapping[str, Any]) -> Verdict:
    measured, change = plain["measured"], plain["change"]
    if change is not None:
        pairs = {name: tuple(change[name]) for name in ("scores", "interval")}
        change = Change(**{**change, **pairs})
    return Verdict(**{**plain, "measured": None if measured is None else Measured(**measured), "change": change})
