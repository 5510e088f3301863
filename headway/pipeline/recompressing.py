"""`headway compress`: a finished run's package made smaller, beside the original."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headway.compression.gate import check_gate
from headway.errors import RunError
from headway.pipeline.attempt import Lang
from headway.pipeline.compressing import Compressed, Wish, compress, compression_of, compression_row
from headway.pipeline.events import Listener, ignore
from headway.pipeline.folder import REPORT, RESULT, write_json
from headway.pipeline.reopening import reopen
from headway.pipeline.telling import tell
from headway.report.page import write_report
from headway.runtime.archive import MANIFEST


@dataclass(frozen=True)
class Recompressed:
    """What became of it, the report that tells it, and the run's folder."""

    compressed: Compressed
    report: Path
    folder: Path


def compress_again(path: Path, wish: Wish, *, lang: Lang = "en", listen: Listener = ignore) -> Recompressed:
    """Make the package of the finished run in `path` smaller, and tell it in its `result.json` and report.

    The original stays as it is. Raises `GateError` with the figures where nothing passes the gate: a smaller package
    of an earlier call goes on to ship, and where there is none, result and report tell what was tried. Raises
    `RunError` for a folder that is no finished run, or one of several targets.
    """
    run = reopen(path, lang=lang, listen=listen)
    if run.competed.task.kind == "several":
        what = "a package of several targets cannot be compressed yet"
        raise RunError(what, where=str(path), fix="name a smaller base, or train each target alone")
    folder = run.attempt.folder.path
    earlier = shipped_by(run.result, folder)
    done = compress(run.attempt, run.prepared, run.competed, run.scored, wish, ships=earlier is not None)
    if done.folder is None and earlier is not None:
        check_gate(*refusals(done), kept=f"{earlier.relative_to(folder)} of an earlier call, which ships as before")
    write_json(folder / RESULT, {**run.result, "compression": compression_row(done, folder)})
    content = tell(run.attempt, run.prepared, run.competed, run.scored, run.measured)
    told = replace(content, seconds=run.result["seconds"], compression=compression_of(done))
    report = write_report(folder / REPORT, told, lang=lang)
    if done.folder is None:
        check_gate(*refusals(done))
    return Recompressed(done, report, folder)


def shipped_by(result: Mapping[str, Any], folder: Path) -> Path | None:
    """Return the smaller package that a run ships by its `result.json`, None where it ships none or it is gone."""
    place = (result.get("compression") or {}).get("package")
    return folder / place if place and (folder / place / MANIFEST).is_file() else None


def refusals(done: Compressed) -> tuple[str, list[str]]:
    """Return the names of what was tried, and why each may not ship."""
    tried = [verdict for verdict in done.verdicts if verdict.status != "original"]
    reasons = [f"{verdict.name}: {verdict.reason or verdict.status}" for verdict in tried]
    return ", ".join(verdict.name for verdict in tried) or "none", reasons or [
        "it holds no weights that can be smaller"
    ]
