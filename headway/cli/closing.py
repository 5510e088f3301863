"""The last lines of a run: the leaderboard, the figures, the report and the next command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headway.cli.live import format_score
from headway.cli.messages import Language, as_word, call_metric, say
from headway.pipeline.result import RunResult
from headway.project.units import write_seconds
from headway.report.translation import translate

_LOWER_IS_BETTER = frozenset(
    {"log_loss", "brier", "mae", "rmse", "calibration_error", "bits_per_character", "perplexity", "frechet_distance"}
)
# The figures of the test part that the closing lines name; result.json and the report have all of them.
_MOST_FIGURES = 5
# A precision seen on fewer rows than these is told with a warning.
_FEW_ROWS = 30
# A run that took more than so many times its budget says so.
_OVER = 1.1
_FIGURES = (
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "roc_auc",
    "average_precision",
    "log_loss",
    "rmse",
    "mae",
    "r2",
    "perplexity",
    "longest_copy",
    "form_kept",
    "chrf",
    "frechet_floor",
    "picture_precision",
    "picture_recall",
    "class_kept",
)
_ORDER = {"won": 0, "ok": 1, "over_limit": 2, "dropped": 3, "failed": 4, "skipped": 5}


def print_closing(done: RunResult, *, console: Console, language: Language, quiet: bool) -> None:
    """Print what a run came to; only the winner and where it is when `quiet`."""
    result = done.result
    if not quiet:
        console.print()
        _print_candidates(result, console, language)
        console.print()
    console.print(_headline(result, language), soft_wrap=not console.is_terminal, highlight=False)
    lines = [*([] if quiet else _details(done, language)), *_places(done, language)]
    if not quiet:
        lines.append((say("next:label", language), _next_command(done, language)))
    width = max(cell_len(label) for label, _ in lines) + 2
    for label, text in lines:
        line = Text.assemble((label, "bold"), " " * (width - cell_len(label)), text)
        console.print(line, soft_wrap=True, highlight=False)


def _next_command(done: RunResult, language: Language) -> str:
    """Return the command that uses what was made."""
    if done.result.get("task") == "generate":
        if done.result.get("drawing"):
            labels = done.result["labels"]
            wanted = f" --label {as_word(labels[0])}" if labels else ""
            return f"headway generate {_name_run(done.folder)} --count 16{wanted} --seed 1 --out grid.png"
        samples = done.result["writing"]["samples"]
        prompt = next((sample["prompt"].strip() for sample in samples if sample["prompt"].strip()), "")
        return f"headway generate {_name_run(done.folder)} --prompt {as_word(prompt)}"
    answers = "回答.csv" if language == "zh" else "answers.csv"
    return f"headway predict {_name_run(done.folder)} new.csv --out {answers}"


def _print_candidates(result: Mapping[str, Any], console: Console, language: Language) -> None:
    """Print the leaderboard, and a line for each candidate that has nothing to show in it."""
    rows, metric = result["candidates"], result.get("metric", "")
    console.print(leaderboard([row for row in rows if _is_measured(row, metric)], metric, language))
    for row in rows:
        if not _is_measured(row, metric):
            words = [say(row["status"], language), *([translate(row["reason"], language)] if row.get("reason") else [])]
            line = Text(f"  {row['name']}: {('，' if language == 'zh' else ', ').join(words)}")
            line.stylize(_style(row["status"]))
            console.print(line, soft_wrap=not console.is_terminal, highlight=False)


def leaderboard(candidates: Sequence[Mapping[str, Any]], metric: str, language: Language) -> Table:
    """Return the candidates as a table, the winner first, then by score."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column(say("candidate", language), no_wrap=True)
    for name in (
        say("valid", language).format(metric=call_metric(metric or "score", language)),
        say("fit", language),
        f"{say('latency', language)} ms",
        f"{say('size', language)} MB",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(say("status", language), overflow="fold")
    lower = metric in _LOWER_IS_BETTER
    for row in sorted(candidates, key=lambda row: _rank(row, metric, lower=lower)):
        table.add_row(*_cells(row, metric, language), style=_style(row["status"]))
    return table


def shorten(path: Path) -> str:
    """Return a path relative to here where it lies below, else as it is; links are not followed."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _is_measured(row: Mapping[str, Any], metric: str) -> bool:
    return row["metrics"].get(metric) is not None


def _rank(row: Mapping[str, Any], metric: str, *, lower: bool) -> tuple[int, float]:
    score = row["metrics"].get(metric)
    return _ORDER.get(row["status"], 9), 0.0 if score is None else (score if lower else -score)


def _cells(row: Mapping[str, Any], metric: str, language: Language) -> list[str]:
    """Return one candidate's cells; unknown figures stay empty."""
    p50, p95, size = row.get("latency_p50_ms"), row.get("latency_p95_ms"), row.get("size_mb")
    seconds = row.get("fit_seconds")
    status = say(row["status"], language)
    return [
        f"{'★' if row['status'] == 'won' else ' '} {row['name']}",
        format_score(row["metrics"].get(metric)),
        "" if seconds is None else write_seconds(seconds),
        "" if p50 is None or p95 is None else f"{p50:.2f} / {p95:.2f}",
        "" if size is None else f"{size:.2f}",
        f"{status}: {translate(row['reason'], language)}" if row.get("reason") else status,
    ]


def _style(status: str) -> str:
    return {"won": "bold green", "failed": "red", "skipped": "dim", "dropped": "dim"}.get(status, "")


def _headline(result: Mapping[str, Any], language: Language) -> Text:
    """Return who won, with what score on how many rows, how sure that is and how long it took."""
    metric = result.get("metric", "")
    score = format_score(result["metrics"].get(metric))
    judged = (result.get("writing") or {}).get("rows", result["rows"].get("test", 0))
    parts = [
        say("wins", language).format(
            winner=result["winner"], metric=call_metric(metric, language), score=score, rows=f"{judged:,}"
        )
    ]
    if metric in result.get("intervals", {}):
        low, high = (format_score(bound) for bound in result["intervals"][metric])
        parts.append(say("interval", language).format(low=low, high=high))
    seconds, budget = result["seconds"], result.get("budget_seconds")
    is_over = budget is not None and seconds > _OVER * budget
    words = say("took:over" if is_over else "took", language)
    parts.append(words.format(time=write_seconds(seconds), budget=write_seconds(budget or 0)))
    return Text(("；" if language == "zh" else "; ").join(parts), style="bold")


def _details(done: RunResult, language: Language) -> list[tuple[str, str]]:
    """Return the figures of the test part and what became of the rows."""
    rows = {key: f"{count:,}" for key, count in done.result["rows"].items()}
    return [
        (say("figures:label", language), _figures(done.result, language)),
        *((say("decision:label", language), words) for words in _decision(done.result, language)),
        (say("rows:label", language), say("rows", language).format_map(rows)),
    ]


def _places(done: RunResult, language: Language) -> list[tuple[str, str]]:
    return [
        (say("package:label", language), shorten(done.package)),
        (say("report:label", language), shorten(done.report)),
    ]


def _figures(result: Mapping[str, Any], language: Language) -> str:
    """Return the metrics of the test part on one line."""
    known = {name: score for name, score in result["metrics"].items() if score is not None}
    if result.get("targets"):
        wanted = [f"{told['metric']}:{target}" for target, told in result["targets"].items()]
        own = [f"{call_metric(name, language)} {format_score(known[name])}" for name in wanted if name in known]
        return ("、" if language == "zh" else ", ").join(own)
    named = [name for name in (str(result.get("metric")), *_FIGURES) if name in known]
    figures = [
        f"{call_metric(name, language)} {format_score(known[name])}"
        for name in list(dict.fromkeys(named))[:_MOST_FIGURES]
    ]
    return ("、" if language == "zh" else ", ").join(figures)


def _decision(result: Mapping[str, Any], language: Language) -> list[str]:
    """Return what the threshold or the costs of the project came to; nothing without a decision."""
    chosen = result.get("threshold")
    if chosen is not None:
        low, high = chosen["interval"]
        words = say("threshold", language).format(
            label=chosen["label"],
            threshold=f"{chosen['threshold']:.3f}",
            precision=f"{chosen['precision']:.1%}",
            low=f"{low:.1%}",
            high=f"{high:.1%}",
            basis=say("threshold:basis", language).format(rows=f"{chosen['answered']:,}"),
            recall=f"{chosen['recall']:.1%}",
        )
        missed = "" if chosen["reached"] else say("threshold:missed", language).format(wanted=f"{chosen['wanted']:.1%}")
        return [words + missed + (say("threshold:few", language) if chosen["answered"] < _FEW_ROWS else "")]
    cost = result["metrics"].get("mean_cost")
    if cost is None:
        return []
    words = say("mean_cost", language).format(cost=format_score(cost))
    if "mean_cost" in result.get("intervals", {}):
        low, high = (format_score(bound) for bound in result["intervals"]["mean_cost"])
        words += f"{'，' if language == 'zh' else ', '}{say('interval', language).format(low=low, high=high)}"
    return [words]


def _name_run(folder: Path) -> str:
    """Return how to name a run on the command line: by `latest` beside it where that is it."""
    latest = folder.parent / "latest"
    return shorten(latest if latest.exists() and latest.resolve() == folder.resolve() else folder)
