"""The test part, touched once, by what ships."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from headway.data.dataset import ROW
from headway.errors import Problem, ProjectError
from headway.evaluation.calibration import conformal_width
from headway.evaluation.decisions import Costs, Threshold, choose_threshold, decide, read_costs
from headway.evaluation.scores import Scores
from headway.evaluation.scoring import evaluate
from headway.evaluation.several import evaluate_several
from headway.evaluation.writing.judged import Writing
from headway.models.family import Examples
from headway.package.graph import Graph
from headway.package.opening import open_graph
from headway.pipeline.attempt import Attempt, StageNote
from headway.pipeline.competing import Competed, held_out
from headway.pipeline.events import Remark
from headway.pipeline.preparing import Prepared, write_parquet
from headway.pipeline.writing import judge_writing, judged_rows
from headway.project.complaints import suggest
from headway.project.schema import Project
from headway.runtime.manifest import Label, name_for, names_of_answers
from headway.tasks import Classify, Several, Task
from headway.training.trial import columns_of

TEST_ANSWERS = "test_answers.parquet"
# How many of the true values the intervals around answers should hold.
LEVELS = (0.8, 0.95)
_NO_DECISION = Problem(
    "a decision needs labels, and this target is a number",
    where="decision",
    expected="the task classify",
    got="the task regress, as the values of the target say",
    fix="remove decision:, or set task: classify",
)


@dataclass(frozen=True)
class Decided:
    """How probabilities become answers: a threshold chosen on the validation rows, costs, or neither."""

    threshold: Threshold | None = None
    costs: Costs | None = None

    def position(self, task: Classify) -> tuple[int, float] | None:
        """Return the threshold with its label as a class index."""
        if self.threshold is None:
            return None
        return task.labels.index(self.threshold.label), self.threshold.threshold


@dataclass(frozen=True)
class Scored:
    """The winner's figures on the test part, its raw answers there, how it decides, and what it writes."""

    scores: Scores
    examples: Examples
    answers: np.ndarray
    decided: Decided
    writing: Writing | None = None


def score(attempt: Attempt, prepared: Prepared, competed: Competed) -> Scored:
    """Choose the threshold on the validation rows, answer the test part through the runtime, and score the answers."""
    with attempt.stage("evaluate") as note:
        if competed.task.kind == "generate":
            return score_writing(attempt, prepared, competed, note)
        scored = score_graph(attempt, prepared, competed, competed.tournament.graph, settle_decision(attempt, competed))
        table = tabulate_answers(competed, scored.examples, held_out(prepared)[1], scored.answers, scored.decided)
        write_parquet(attempt.folder.path / TEST_ANSWERS, table)
        metric = competed.contest.metric
        note.text = f"{metric} {scored.scores.metrics[metric]:.4f} on {len(scored.examples):,} test rows"
    return scored


def score_writing(attempt: Attempt, prepared: Prepared, competed: Competed, note: StageNote) -> Scored:
    """Let the winner and the yardstick write, and score how well they foresee the test part."""
    examples, numbers = held_out(prepared)
    project, total = attempt.project, len(examples)
    chosen = judged_rows(competed, examples, seconds=project.budget.time, seed=project.seed)
    examples, numbers = examples.take(chosen), numbers.gather(chosen)
    if len(chosen) < total:
        attempt.listen(Remark(f"judged on {len(chosen):,} of {total:,} test rows, as many as the budget allows"))
    answers, scores, writing = judge_writing(attempt, competed, examples)
    against = writing.against
    if against.better == writing.yardstick:
        theirs, mine = (f"{value:.3f}" for value in against.values)
        attempt.listen(
            Remark(
                f"{writing.yardstick}, which only counts, foresees these texts better than {against.names[1]} "
                f"({theirs} against {mine} bits a character): more time, more texts or a smaller model would help"
            )
        )
    write_parquet(attempt.folder.path / TEST_ANSWERS, tabulate_texts(examples, numbers, answers, writing))
    metric = competed.contest.metric
    note.text = f"{metric} {scores.metrics[metric]:.4f} on {len(examples):,} test rows"
    return Scored(scores, examples, answers, Decided(), writing)


def score_graph(attempt: Attempt, prepared: Prepared, competed: Competed, graph: Graph, decided: Decided) -> Scored:
    """Answer the test part with a graph, through the runtime, and score the answers."""
    examples, _ = held_out(prepared)
    answers = open_graph(graph).run(columns_of(examples.rows))
    if isinstance(competed.task, Several):
        scores = evaluate_several(
            examples.y,
            answers,
            competed.task,
            rows=examples.rows,
            inputs=examples.inputs,
            widths=widths_of_several(competed, competed.task),
            seed=attempt.project.seed,
        )
        return Scored(scores, examples, answers, decided)
    answers = answers if competed.task.kind == "classify" else answers[:, 0]
    scores = evaluate(
        examples.y,
        answers,
        competed.task,
        rows=examples.rows,
        inputs=examples.inputs,
        threshold=decided.position(competed.task) if isinstance(competed.task, Classify) else None,
        costs=decided.costs,
        positive=competed.contest.positive,
        widths=interval_widths(competed),
        seed=attempt.project.seed,
    )
    return Scored(scores, examples, answers, decided)


def tabulate_texts(examples: Examples, numbers: pl.Series, answers: np.ndarray, writing: Writing) -> pl.DataFrame:
    """Return one row per test text: `__row__`, `actual` (its characters), `nats`, `tokens`, the yardstick's nats."""
    figures = {"nats": answers[:, 0], "tokens": answers[:, 1], "baseline_nats": writing.nats}
    return pl.DataFrame({ROW: numbers, "actual": examples.y, **figures})


def interval_widths(competed: Competed) -> dict[float, float]:
    """Return the half width of an interval around each value per level, from the validation rows' residuals.

    Empty for classification, and without levels that there are too few rows for.
    """
    if competed.task.kind != "regress":
        return {}
    answers = competed.tournament.answers
    return widths_of(competed.contest.truth[: len(answers)] - answers)


def widths_of_several(competed: Competed, task: Several) -> dict[str, dict[float, float]]:
    """Return the same for each target that is a number, by its name."""
    answers = competed.tournament.answers
    found = {}
    for place, part in enumerate(task.parts):
        if part.task.kind == "regress":
            rows, truth = task.known(competed.contest.truth[: len(answers)], place)
            found[part.name] = widths_of(truth - task.answers(answers[rows], place))
    return found


def widths_of(residuals: np.ndarray) -> dict[float, float]:
    """Return the half width of an interval per level, without levels that there are too few residuals for."""
    widths = {level: conformal_width(residuals, level) for level in LEVELS}
    return {level: width for level, width in widths.items() if np.isfinite(width)}


def check_decision(project: Project, task: Task) -> None:
    """Raise `HeadwayError` before any training where `decision` names no label, or the target is a number."""
    wish = project.decision
    if not isinstance(task, Classify):
        if wish.costs is not None or wish.precision is not None or wish.label is not None:
            raise ProjectError((_NO_DECISION,))
        return
    if wish.costs is not None:
        read_costs(wish.costs, task.labels)
    if wish.label is not None and wish.label not in task.labels:
        raise ProjectError(
            (
                Problem(
                    "there is no such label",
                    where="decision.label",
                    expected=f"one of {', '.join(map(repr, task.labels))}",
                    got=repr(wish.label),
                ),
            )
        )


def check_descriptions(project: Project, task: Task) -> None:
    """Raise `ProjectError` with every description of a label that the data do not have."""
    labels = [str(label) for label in task.labels] if isinstance(task, Classify) else []
    unknown = [name for name in project.descriptions if name not in labels]
    if unknown and not labels:
        raise ProjectError((Problem("descriptions of labels have no meaning for the task regress", "descriptions"),))
    if unknown:
        shown = ", ".join(labels[:20]) + (", ..." if len(labels) > 20 else "")
        raise ProjectError(
            tuple(
                Problem(
                    "there is no such label", f"descriptions.{name}", f"one of {shown}", name, suggest(name, labels)
                )
                for name in unknown
            )
        )


def settle_decision(attempt: Attempt, competed: Competed) -> Decided:
    """Return what `decision` in the project asks for, chosen on the validation rows."""
    wish, task = attempt.project.decision, competed.task
    if not isinstance(task, Classify):
        return Decided()
    if wish.costs is not None:
        return Decided(costs=read_costs(wish.costs, task.labels))
    if wish.precision is None:
        return Decided()
    label = rarest_label(competed) if wish.label is None else wish.label
    chosen = choose_threshold(
        competed.contest.truth[: len(competed.tournament.answers)],
        competed.tournament.answers,
        task.labels,
        precision=wish.precision,
        label=label,
    )
    return Decided(threshold=chosen)


def rarest_label(competed: Competed) -> str | int | float | bool:
    """Return the label with the fewest validation rows: the one that a wanted precision is about."""
    assert isinstance(competed.task, Classify)
    counts = np.bincount(competed.contest.truth, minlength=len(competed.task.labels))
    return competed.task.labels[int(counts.argmin())]


def tabulate_answers(
    competed: Competed, examples: Examples, numbers: pl.Series, answers: np.ndarray, decided: Decided
) -> pl.DataFrame:
    """Return one row per test row: `__row__`, `actual`, `prediction`, and `confidence` and `p_<label>`, or values.

    Of several targets there are these columns for each, named `actual_<target>`, `p_<target>_<label>` and so on; what a
    row lacks is null in `actual_<target>`.
    """
    task = competed.task
    if not isinstance(task, Several):
        return pl.DataFrame({ROW: numbers, **columns_of_answers(task, examples.y, answers, decided)})
    columns: dict[str, object] = {ROW: numbers}
    for place, part in enumerate(task.parts):
        known, y = task.known(examples.y, place)
        own = columns_of_answers(part.task, y, task.answers(answers, place), Decided(), known=known)
        columns |= {name_for(name, part.name): column for name, column in own.items()}
    return pl.DataFrame(columns)


def columns_of_answers(
    task: Task, y: np.ndarray, answers: np.ndarray, decided: Decided, *, known: np.ndarray | None = None
) -> dict[str, pl.Series]:
    """Return what `tabulate_answers` tells of one target; `y` are the truths of the rows `known`, of all without it."""
    places = np.arange(len(answers)) if known is None else known
    actual: list[str | float | None] = [None] * len(answers)
    labels = [str(label) for label in task.labels] if isinstance(task, Classify) else []
    for place, truth in zip(places.tolist(), y.tolist(), strict=True):
        actual[place] = labels[truth] if labels else truth
    if not isinstance(task, Classify):
        return {"actual": pl.Series(actual, dtype=pl.Float32), "prediction": pl.Series(answers)}
    chosen = decide(answers, threshold=decided.position(task), costs=decided.costs)
    return {
        "actual": pl.Series(actual, dtype=pl.String),
        "prediction": pl.Series([labels[index] for index in chosen]),
        "confidence": pl.Series(answers[np.arange(len(chosen)), chosen]),
        **{f"p_{label}": pl.Series(answers[:, index]) for index, label in enumerate(labels)},
    }


def check_names(task: Task) -> None:
    """Raise `ProjectError` before any training where two answers to several targets would have the same name."""
    if not isinstance(task, Several):
        return
    names = [name for part in task.parts for name in names_of_answers(part.name, _labels_of(part.task))]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        problem = Problem(
            "two answers would have the same column",
            where="targets",
            expected="names of targets and labels that keep apart",
            got=", ".join(twice[:5]),
            fix="rename a column of targets:",
        )
        raise ProjectError((problem,))


def _labels_of(task: Task) -> tuple[Label, ...]:
    return task.labels if isinstance(task, Classify) else ()
