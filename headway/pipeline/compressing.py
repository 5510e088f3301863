"""The package once more, smaller: as a stage of a run, and for a run that is finished."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headway.compression.planning import Method, plan_variants
from headway.compression.quantising.contents import is_narrow
from headway.compression.search import THOROUGH, Effort, search
from headway.compression.storage import load_verdicts, save_verdicts
from headway.compression.subject import Subject
from headway.compression.verdict import Chosen, Verdict
from headway.compute.clock import Clock
from headway.errors import HeadwayError
from headway.package.measuring import Measured, measure
from headway.package.opening import open_graph
from headway.package.writing import archive_path, write_package
from headway.pipeline.attempt import Attempt
from headway.pipeline.competing import CANDIDATES, Competed, compression_seconds
from headway.pipeline.events import Remark, VariantTried
from headway.pipeline.packaging import Packaged, describe, load_history, with_history
from headway.pipeline.preparing import Prepared
from headway.pipeline.referencing import describe_rows
from headway.pipeline.scoring import Scored, score_graph
from headway.pipeline.telling import tell
from headway.project.schema import Compressing, Project
from headway.report.card import model_card
from headway.report.content import Compression
from headway.tasks import Classify
from headway.training.storage import Store
from headway.training.trial import MEASURED_ROWS, columns_of

COMPRESSED = "compressed"
VERDICTS = "verdicts.json"
# Left to itself, the stage looks only at packages from this size (MB) on: others are not worth the seconds. It takes
# what was kept for it and what else is left of the budget, up to so many seconds.
AUTO_SIZE, AUTO_SECONDS = 20.0, 30.0
# With less than this nothing can be made and measured.
LEAST_SECONDS = 5.0
# Rows that the written package has to answer as the search saw it.
_PROVEN = 256


@dataclass(frozen=True)
class Wish:
    """What is asked for: the most that may be lost, the seconds for it, the methods, and whether all ways are tried."""

    drop: float
    seconds: float
    methods: tuple[Method, ...]
    effort: Effort = THOROUGH


@dataclass(frozen=True)
class Compressed:
    """What became of it: every verdict, and the smaller package with its figures, or None where the original stays."""

    verdicts: tuple[Verdict, ...]
    drop: float
    chosen: Chosen | None = None
    folder: Path | None = None
    archive: Path | None = None
    measured: Measured | None = None
    metrics: Mapping[str, float] | None = None


def compress_winner(
    attempt: Attempt, prepared: Prepared, competed: Competed, scored: Scored, packaged: Packaged
) -> Compressed | None:
    """Make the package smaller as the project wishes, inside the budget; None where nothing was tried."""
    project = attempt.project
    # A model that writes got its bits before it was judged; one of several targets stays as it is.
    if project.compress == "off" or competed.task.kind in {"generate", "several"}:
        return None
    with attempt.stage("compress") as note:
        is_auto = project.compress == "auto"
        if is_auto and packaged.measured.size_mb < AUTO_SIZE:
            note.text = "the package is small already"
            return None
        if is_auto and is_narrow(competed.tournament.graph.onnx):
            note.text = "its weights are in few bits already"
            return None
        if is_auto and attempt.seconds_left < LEAST_SECONDS:
            note.text = "no time is left for it: `headway compress RUN` does it later"
            return None
        most = AUTO_SECONDS if is_auto else compression_seconds(project)
        wish = wish_of(project, min(attempt.seconds_left, most))
        try:
            found = compress(attempt, prepared, competed, scored, wish)
        except HeadwayError as error:  # the original is there already and ships
            attempt.listen(Remark(str(error)))
            note.text = "the original ships"
            return None
        note.text = tell_outcome(found)
    return found


def wish_of(project: Project, seconds: float) -> Wish:
    """Return what a project asks for."""
    if isinstance(project.compress, Compressing):
        return Wish(project.compress.drop, seconds, project.compress.methods)
    return Wish(Compressing().drop, seconds, ("quantise",), Effort(thorough=False))


def tell_outcome(found: Compressed) -> str:
    """Return how it ended in one line."""
    original = found.verdicts[0].measured
    if found.chosen is None or found.measured is None or original is None:
        return f"nothing smaller passes the gate; {len(found.verdicts) - 1} tried"
    return (
        f"{found.chosen.name}: {original.size_mb:.1f} to {found.measured.size_mb:.1f} MB, "
        f"{original.rows_per_second:,.0f} to {found.measured.rows_per_second:,.0f} rows/s"
    )


def compress(
    attempt: Attempt, prepared: Prepared, competed: Competed, scored: Scored, wish: Wish, *, ships: bool = False
) -> Compressed:
    """Search for a smaller package and write the one that passes the gate beside the original, with all verdicts.

    `ships`: what an earlier attempt wrote there ships already. It stays, with its verdicts, until another one is whole,
    and where none passes; else what a killed attempt left passed another gate and goes.
    """
    subject = subject_of(attempt, competed, scored)
    found = search(
        subject,
        plan_variants(subject, methods=wish.methods, winner=competed.tournament.winner),
        drop=wish.drop,
        clock=Clock.after(wish.seconds),
        effort=wish.effort,
        listen=lambda verdict: attempt.listen(VariantTried(verdict.name, verdict.status, verdict.reason)),
    )
    done = Compressed(found.verdicts, found.drop, found.chosen)
    place = attempt.folder.path / COMPRESSED
    if not ships:
        shutil.rmtree(place, ignore_errors=True)
    if found.chosen is not None:
        done = write_smaller(attempt, prepared, competed, scored, done)
    if done.folder is not None or not ships:
        save_verdicts(place / VERDICTS, done.verdicts, drop=done.drop)
    return done


def subject_of(attempt: Attempt, competed: Competed, scored: Scored) -> Subject:
    """Return the winner as it was compared, on the first fold, and as it ships."""
    tournament, contest = competed.tournament, competed.contest
    compared = Store(attempt.folder.path / CANDIDATES).load(tournament.winner)
    judged = None if compared is None or not tournament.refitted else compared.graph
    return Subject(
        judged=judged or tournament.graph,
        shipped=tournament.graph,
        examples=contest.examples,
        train=contest.train,
        fold=contest.folds[0],
        task=contest.task,
        metric=contest.metric,
        positive=contest.positive,
        threshold=scored.decided.position(contest.task) if isinstance(contest.task, Classify) else None,
        costs=scored.decided.costs,
        limits=contest.limits,
        seed=contest.seed,
    )


def write_smaller(
    attempt: Attempt, prepared: Prepared, competed: Competed, scored: Scored, found: Compressed
) -> Compressed:
    """Score the smaller model on the test part, once, and write its package with a card and a reference of its own.

    Limits are held on what is written; where one is broken only now, the verdict becomes a refusal.
    """
    chosen = found.chosen
    assert chosen is not None
    remembered = load_history(attempt)
    measured = with_history(measure(chosen.graph, columns_of(scored.examples.rows.head(MEASURED_ROWS))), remembered)
    over = [
        f"{name} {getattr(measured, name):.3g} > {ceiling:.3g}"
        for name, ceiling in competed.contest.limits.items()
        if getattr(measured, name) > ceiling
    ]
    if over:
        return replace(found, chosen=None, verdicts=_refused(found.verdicts, chosen.name, "; ".join(over)))
    smaller = score_graph(attempt, prepared, competed, chosen.graph, scored.decided)
    winner = f"{competed.tournament.winner}, {chosen.name}"
    manifest = replace(describe(attempt, prepared, competed, smaller, measured), winner=winner)
    folder = attempt.folder.path / COMPRESSED / "package"
    rows = columns_of(competed.contest.examples.rows[competed.contest.valid[:_PROVEN]])
    content = tell(attempt, prepared, competed, smaller, measured, path=f"{COMPRESSED}/package")
    write_package(
        folder,
        chosen.graph,
        manifest,
        card=model_card(replace(content, compression=compression_of(found))),
        columns=rows,
        expected=open_graph(chosen.graph, threads=1).run(rows),
        reference=describe_rows(prepared, competed, smaller, history=manifest.history, seed=attempt.project.seed),
        history=None if remembered is None else remembered[1],
    )
    return replace(
        found,
        folder=folder,
        archive=archive_path(folder, manifest.name),
        measured=measured,
        metrics=dict(smaller.scores.metrics),
    )


def _refused(verdicts: tuple[Verdict, ...], name: str, reason: str) -> tuple[Verdict, ...]:
    return tuple(
        replace(verdict, status="refused", reason=reason)
        if verdict.status == "chosen" and verdict.name == name
        else verdict
        for verdict in verdicts
    )


def compression_of(found: Compressed) -> Compression:
    """Return what the report tells of it."""
    return Compression(found.verdicts, found.drop, None if found.folder is None else f"{COMPRESSED}/package")


def load_compression(folder: Path) -> Compression | None:
    """Return what the report of a finished run tells of its compression, or None."""
    kept = load_verdicts(folder / COMPRESSED / VERDICTS)
    if kept is None:
        return None
    shipped = any(verdict.status == "chosen" for verdict in kept[0])
    return Compression(kept[0], kept[1], f"{COMPRESSED}/package" if shipped else None)


def compression_row(found: Compressed, folder: Path) -> dict[str, Any]:
    """Return the part of `result.json`."""
    return {
        "package": None if found.folder is None else os.path.relpath(found.folder, folder),
        "archive": None if found.archive is None else os.path.relpath(found.archive, folder),
        "drop": found.drop,
        "chosen": None if found.chosen is None else found.chosen.name,
        "measured": None if found.measured is None else vars(found.measured),
        "metrics": found.metrics,
        "verdicts": [_verdict_row(verdict) for verdict in found.verdicts],
    }


def _verdict_row(verdict: Verdict) -> dict[str, Any]:
    return {
        **vars(verdict),
        "measured": None if verdict.measured is None else vars(verdict.measured),
        "change": None if verdict.change is None else vars(verdict.change),
    }
