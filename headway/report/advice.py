"""What to do next: the few things most likely to help, from what the run found."""

from __future__ import annotations

from headway.evaluation.metrics import greater_is_better
from headway.evaluation.scores import Slice
from headway.report.charts.heat import find_worst_pairs
from headway.report.content import ReportContent
from headway.report.figures import write_metric, write_number, write_share
from headway.report.summary import commonest_label
from headway.report.translation import Lang, translate
from headway.report.words import Say, speak
from headway.training.outcome import Outcome

MOST = 6
# By these words a training tells what it had no time for.
HURRIED = ("as the time allow", "the time ended", "the time ran out")


def advise(content: ReportContent, lang: Lang) -> list[str]:
    """Return at most six sentences, the most rewarding first; one that says so where there is nothing to do."""
    say = speak(lang)
    about = (_about_guessing, _about_labels, _about_pairs, _about_slices)
    found = [
        *(_of(part, sentence, say) for part in content.each for tell in about for sentence in tell(part, say)),
        *_about_hurry(content, say, lang),
        *_about_candidates(content, say),
        *(_of(part, sentence, say) for part in content.each for sentence in _about_certainty(part, say)),
    ]
    return found[:MOST] or [say("next_fine")]


def _of(content: ReportContent, sentence: str, say: Say) -> str:
    """Return advice; that about one of several targets names it."""
    return say("of_target", target=content.target, words=sentence) if content.is_part else sentence


def name_slice(part: Slice, say: Say) -> str:
    """Return what a slice is about, in words."""
    condition = say(f"language_{part.condition}") if part.aspect == "language" else part.condition
    if part.aspect in {"length", "range"}:
        condition = condition.replace(">=", "≥").replace("<=", "≤").removeprefix("= ")
    return say(f"aspect_{part.aspect}", column=part.column, condition=condition)


def write_slice_score(value: float, content: ReportContent) -> str:
    """Return a slice's score: an accuracy, or a mean absolute error."""
    return write_share(value) if content.task == "classify" else write_number(value)


def _about_guessing(content: ReportContent, say: Say) -> list[str]:
    if content.drawing is not None:
        return _about_drawing(content, say)
    if content.writing is not None:
        behind = content.writing.against.better != content.winner
        return [say("next_more_text")] if behind else []
    # Where nothing but the baseline had time to learn, the inputs are not to blame.
    untried = content.winner == "baseline" and any(map(_is_late, content.outcomes))
    return [say("next_guessing", target=content.target)] if _is_useless(content) and not untried else []


def _is_useless(content: ReportContent) -> bool:
    """Tell whether the model answers no better than the same answer to everything would."""
    if content.drawing is not None or content.writing is not None:
        return False
    if content.task == "classify":
        return content.scores.metrics["balanced_accuracy"] <= 1.05 / len(content.labels) and (
            content.scores.metrics["accuracy"] <= commonest_label(content)[1]
        )
    return content.scores.metrics["r2"] <= 0


def _about_drawing(content: ReportContent, say: Say) -> list[str]:
    """Return what the figures of drawn pictures call for."""
    metrics, drawing = content.scores.metrics, content.drawing
    assert drawing is not None
    found = []
    if metrics["picture_variety"] < 0.8:
        found.append(say("next_variety", share=write_share(metrics["picture_variety"])))
    if metrics["copied_share"] > 0.1:
        found.append(say("next_copies", share=write_share(metrics["copied_share"])))
    if drawing.best == len(drawing.looks) - 1 and metrics["frechet_distance"] > 3 * metrics["frechet_floor"]:
        found.append(say("next_draw_longer"))
    return found


def _about_labels(content: ReportContent, say: Say) -> list[str]:
    advice = []
    if content.label_errors:
        advice.append(say("next_labels", count=len(content.label_errors)))
    few = sorted((rows, label) for label, rows in content.balance.items() if rows < 50)
    if few:
        names = [f"{label} ({rows})" for rows, label in few[:5]]
        advice.append(say("next_few", labels=say("comma").join(names)))
    return advice


def _about_pairs(content: ReportContent, say: Say) -> list[str]:
    if content.scores.confusion is None or len(content.labels) < 3 or _is_useless(content):
        return []
    return [
        say("next_pair", actual=content.labels[i], predicted=content.labels[j], count=rows)
        for i, j, rows, share in find_worst_pairs(content.scores.confusion, most=1)
        if rows >= 3 and share > 0.05
    ]


def _about_slices(content: ReportContent, say: Say) -> list[str]:
    if _is_useless(content):
        return []  # parts differ by what is common in them, not by what was learnt
    return [
        say(
            "next_slice",
            slice=name_slice(part, say),
            score=write_slice_score(part.score, content),
            overall=write_slice_score(part.overall, content),
        )
        for part in content.scores.slices[:1]
    ]


def _about_candidates(content: ReportContent, say: Say) -> list[str]:
    advice = []
    winner = _score_of(content, content.winner)
    over = [each for each in content.outcomes if each.status == "over_limit" and content.metric in each.metrics]
    sign = 1 if greater_is_better(content.metric) else -1
    if over and winner is not None:
        best = max(over, key=lambda each: sign * each.metrics[content.metric])
        if sign * best.metrics[content.metric] > sign * winner:
            score = write_metric(content.metric, best.metrics[content.metric])
            advice.append(say("next_limit", name=best.name, score=score))
    skipped = [each for each in content.outcomes if each.status == "skipped"]
    extra = [each for each in skipped if "pip install" in each.reason]
    large = [each for each in skipped if " MB are free in the budget" in each.reason]
    late = [each for each in content.outcomes if each not in extra + large and _is_late(each)]
    advice += [say("next_budget", names=_names(late, say))] if late else []
    advice += [say("next_memory", names=_names(large, say))] if large else []
    advice += [say("next_extra", names=_names(extra, say))] if extra else []
    return advice


def _is_late(outcome: Outcome) -> bool:
    """Tell whether a candidate lacked time: to begin, to be looked at, or to come to its first answer."""
    if outcome.status == "failed":
        return "raise budget.time" in outcome.reason
    reached = outcome.estimated_seconds is not None or outcome.reason.startswith("no time is left")
    return outcome.status == "skipped" and reached


def _about_hurry(content: ReportContent, say: Say, lang: Lang) -> list[str]:
    """Return that what ships wants more time, where its own training says what there was no time for."""
    outcome = next((each for each in content.outcomes if each.name == content.winner), None)
    parts = [] if outcome is None else outcome.reason.split("; ")
    short = "; ".join(part for part in parts if any(mark in part for mark in HURRIED))
    return [say("next_hurried", name=content.winner, reasons=translate(short, lang))] if short else []


def _about_certainty(content: ReportContent, say: Say) -> list[str]:
    advice = []
    error = content.scores.metrics.get("calibration_error", 0.0)
    if error > 0.06 and content.scores.rows >= 200:
        advice.append(say("next_calibration", error=write_share(error)))
    interval = content.scores.intervals.get("accuracy")
    if interval is not None and interval[1] - interval[0] > 0.06:
        advice.append(say("next_test", half=write_share((interval[1] - interval[0]) / 2)))
    return advice


def _score_of(content: ReportContent, name: str) -> float | None:
    return next((each.metrics.get(content.metric) for each in content.outcomes if each.name == name), None)


def _names(outcomes: list[Outcome], say: Say) -> str:
    return say("comma").join(each.name for each in outcomes)
