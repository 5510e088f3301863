"""The leaderboard, as a picture and as a table, and how the winner learnt."""

from __future__ import annotations

from headway.evaluation.metrics import greater_is_better
from headway.report.charts.canvas import figure
from headway.report.charts.lines import draw_curves
from headway.report.charts.scatter import Dot, draw_scatter
from headway.report.content import ReportContent
from headway.report.figures import write_megabytes, write_metric, write_milliseconds, write_seconds, write_share
from headway.report.markup import Markup, block, element, join, span, table
from headway.report.translation import Lang, name_metric, translate
from headway.report.words import Say, speak
from headway.training.outcome import Outcome

STATUSES = ("won", "ok", "over_limit", "dropped", "failed", "skipped")


def show_candidates(content: ReportContent, lang: Lang) -> Markup:
    """Return the leaderboard and the winner's training curves."""
    say = speak(lang)
    how = say("validated_folds", folds=content.folds) if content.folds > 1 else say("validated_holdout")
    members = None
    if content.members:
        parts = (f"{name} {write_share(weight)}" for name, weight in content.members.items())
        members = element("p", say("members", members=say("comma").join(parts)))
    return join(
        [
            element("p", how),
            members,
            _draw_leaderboard(content, lang, say),
            _list_outcomes(content, lang, say),
            _draw_winner_curves(content, lang, say),
        ]
    )


def _draw_leaderboard(content: ReportContent, lang: Lang, say: Say) -> Markup | None:
    dots = [
        Dot(outcome.latency_p50_ms, outcome.metrics[content.metric], outcome.name, outcome.status,
            f"{outcome.name}: {write_metric(content.metric, outcome.metrics[content.metric])}, "
            f"{write_milliseconds(outcome.latency_p50_ms)}")
        for outcome in content.outcomes
        if outcome.latency_p50_ms is not None and content.metric in outcome.metrics
    ]  # fmt: skip
    if len(dots) < 2:
        return None
    limit = None if content.limits is None else content.limits.latency_p50
    metric = name_metric(content.metric, lang)
    return figure(
        lambda width: draw_scatter(
            dots,
            width,
            x_name=say("latency_axis"),
            y_name=metric,
            downwards=not greater_is_better(content.metric),
            x_limit=limit,
            limit_name=say("latency_limit"),
        ),
        title=say("leaderboard"),
        description="; ".join(dot.note for dot in dots),
        caption=say("leaderboard_words", metric=metric),
    )


def _list_outcomes(content: ReportContent, lang: Lang, say: Say) -> Markup:
    sign = -1 if greater_is_better(content.metric) else 1

    def rank(outcome: Outcome) -> tuple[int, float]:
        score = outcome.metrics.get(content.metric)
        return STATUSES.index(outcome.status), float("inf") if score is None else sign * score

    rows = []
    for outcome in sorted(content.outcomes, key=rank):
        score = outcome.metrics.get(content.metric)
        name = element("strong", outcome.name) if outcome.status == "won" else outcome.name
        rows.append(
            (
                join([name, block("why", translate(outcome.reason, lang)) if outcome.reason else None]),
                span(f"badge {outcome.status}", say(f"status_{outcome.status}")),
                "" if score is None else write_metric(content.metric, score),
                write_seconds(outcome.fit_seconds, say),
                write_milliseconds(outcome.latency_p50_ms),
                write_milliseconds(outcome.latency_p95_ms),
                write_megabytes(outcome.size_mb),
                write_megabytes(outcome.memory_mb),
            )
        )
    head = ("candidate", "status", None, "fit_time", "latency_p50", "latency_p95", "size", "memory")
    names = [name_metric(content.metric, lang) if key is None else say(key) for key in head]
    return table(names, rows, numbers=range(2, 8), kind="loose")


def _draw_winner_curves(content: ReportContent, lang: Lang, say: Say) -> Markup | None:
    names = {content.winner, *content.members}
    axis = say("epoch" if content.drawing is None else "drawing_look_axis")
    words = say("curves_words" if content.drawing is None else "drawing_curves_words")
    figures = []
    for outcome in content.outcomes:
        if outcome.name not in names:
            continue
        for curve in outcome.curves:
            series = [(say("training"), "first", curve.train), (say("validation"), "second", curve.valid)]
            series = [(name, kind, values) for name, kind, values in series if values]
            if series:
                figures.append((outcome.name, translate(curve.name, lang), series))
    return join(
        figure(
            lambda width, series=series: draw_curves(series, width, x_name=axis),  # type: ignore[misc]
            title=say("curves", name=name, curve=curve),
            description=words,
            caption=words,
        )
        for name, curve, series in figures
    )
