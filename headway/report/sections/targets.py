"""Several targets side by side: how good the winner is at each, and which candidate is best at which."""

from __future__ import annotations

from headway.report.content import ReportContent
from headway.report.figures import write_interval, write_metric
from headway.report.markup import Markup, element, join, table
from headway.report.translation import Lang, name_metric
from headway.report.words import Say, speak
from headway.training.outcome import Outcome


def show_targets(content: ReportContent, lang: Lang) -> Markup:
    """Return a line for each target on the test part, and one for the mean that the candidates were compared by."""
    say = speak(lang)
    rows: list[tuple[object, ...]] = [
        (
            part.target,
            name_task(part, say),
            name_metric(part.metric, lang),
            write_metric(part.metric, part.scores.metrics[part.metric]) if part.metric in part.scores.metrics else "",
            write_interval(part.metric, part.scores.intervals.get(part.metric)),
            f"{part.scores.rows:,}",
        )
        for part in content.parts
    ]
    name = content.metric
    mean = write_metric(name, content.scores.metrics[name]), write_interval(name, content.scores.intervals.get(name))
    rows.append(
        (element("strong", say("targets_mean")), "", name_metric(name, lang), *mean, f"{content.scores.rows:,}")
    )
    head = (say("target"), say("task"), say("metric"), say("value"), say("interval"), say("count"))
    words = element("p", say("targets_words", rows=f"{content.scores.rows:,}"))
    return join([element("h3", say("targets_figures")), words, table(head, rows, numbers=(3, 4, 5))])


def name_task(part: ReportContent, say: Say) -> str:
    """Return what is to be done with one target."""
    return say(f"task_{part.task}", target=part.target, count=len(part.labels))


def show_candidates_by_target(content: ReportContent, lang: Lang) -> Markup | None:
    """Return the candidates' validation scores target by target, the best of each marked; None for a single target."""
    if not content.parts:
        return None
    say = speak(lang)
    names = [f"{part.metric}:{part.target}" for part in content.parts]
    tried = [outcome for outcome in content.outcomes if all(name in outcome.metrics for name in names)]
    if not tried:
        return None
    ranked = sorted(tried, key=lambda outcome: -outcome.metrics.get(content.metric, 0.0))
    best = {name: max(outcome.metrics[name] for outcome in tried) for name in names}
    rows = [(outcome.name, *(_score(outcome, name, best[name]) for name in names)) for outcome in ranked]
    head = (say("candidate"), *(name_metric(name, lang) for name in names))
    title, words = element("h3", say("targets_candidates")), element("p", say("targets_candidates_words"))
    return join([title, words, table(head, rows, numbers=range(1, len(head)))])


def _score(outcome: Outcome, name: str, best: float) -> Markup | str:
    """Return a score, marked where none is better."""
    shown = write_metric(name, outcome.metrics[name])
    return element("strong", shown) if outcome.metrics[name] >= best else shown
