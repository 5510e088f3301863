"""What it costs to be smaller: size and speed against what is lost, as a picture and as a table."""

from __future__ import annotations

import math

from headway.compression.gate import Change, write_loss
from headway.compression.verdict import Verdict
from headway.report.charts.canvas import figure
from headway.report.charts.scatter import Dot, draw_scatter
from headway.report.content import Compression
from headway.report.figures import write_megabytes, write_metric, write_milliseconds
from headway.report.markup import Markup, block, element, join, span, table
from headway.report.translation import Lang, name_metric, translate
from headway.report.words import Say, speak

# The classes of the leaderboard's dots, which the page's style knows.
_KINDS = {"chosen": "won", "original": "ok", "ok": "ok", "refused": "over_limit"}


def show_compression(compression: Compression, lang: Lang) -> Markup:
    """Return how it ended, the trade-off as a picture, and every figure of it."""
    say = speak(lang)
    chosen = next((verdict for verdict in compression.verdicts if verdict.status == "chosen"), None)
    drop = write_loss(compression.drop)
    if chosen is None or compression.package is None:
        ending = say("compression_kept", drop=drop)
    else:
        ending = say("compression_chosen", name=chosen.name, package=compression.package, drop=drop)
    return join(
        [
            element("p", ending),
            element("p", say("compression_words")),
            _draw(compression, say),
            _list(compression, lang, say),
        ]
    )


def _draw(compression: Compression, say: Say) -> Markup | None:
    dots = [
        Dot(verdict.measured.size_mb, 100 * _loss(verdict.change), verdict.name, _KINDS.get(verdict.status, "ok"),
            f"{verdict.name}: {write_megabytes(verdict.measured.size_mb)}, {write_loss(_loss(verdict.change))}")
        for verdict in compression.verdicts
        if verdict.measured is not None
    ]  # fmt: skip
    if len(dots) < 2:
        return None
    return figure(
        lambda width: draw_scatter(
            dots, width, x_name=say("compression_size_axis"), y_name=say("compression_loss_axis"), downwards=True
        ),
        title=say("compression_chart"),
        description="; ".join(dot.note for dot in dots),
        caption=say("compression_chart_words"),
    )


def _loss(change: Change | None) -> float:
    return 0.0 if change is None else change.loss


def _list(compression: Compression, lang: Lang, say: Say) -> Markup:
    changes = [verdict.change for verdict in compression.verdicts if verdict.change is not None]
    metric = name_metric(changes[0].metric, lang) if changes else say("compression_score")
    rows = []
    for verdict in compression.verdicts:
        found = _score(verdict, changes[0]) if changes else math.nan
        score = "" if math.isnan(found) else write_metric(changes[0].metric, found)
        rows.append((*_name(verdict, lang, say), *_figures(verdict), score, _write_change(verdict.change)))
    head = ("compression_variant", "status", "size", "latency_p50", "latency_p95", "measured_rate", "memory")
    names = [*(say(key) for key in head), metric, say("compression_loss")]
    return table(names, rows, numbers=range(2, 9), kind="loose")


def _name(verdict: Verdict, lang: Lang, say: Say) -> tuple[Markup, Markup]:
    name = say("compression_original") if verdict.status == "original" else verdict.name
    why = block("why", translate(verdict.reason, lang)) if verdict.reason else None
    shown = element("strong", name) if verdict.status == "chosen" else name
    badge = span(f"badge {_KINDS.get(verdict.status, verdict.status)}", say(f"status_{verdict.status}"))
    return join([shown, why]), badge


def _figures(verdict: Verdict) -> tuple[str, ...]:
    figures = verdict.measured
    if figures is None:
        return ("",) * 5
    return (
        write_megabytes(figures.size_mb),
        write_milliseconds(figures.latency_p50_ms),
        write_milliseconds(figures.latency_p95_ms),
        f"{figures.rows_per_second:,.0f}",
        "" if math.isnan(figures.memory_mb) else write_megabytes(figures.memory_mb),
    )


def _score(verdict: Verdict, any_change: Change) -> float:
    """Return a variant's score; every change holds the original's beside its own."""
    if verdict.status == "original":
        return any_change.scores[0]
    return math.nan if verdict.change is None else verdict.change.scores[1]


def _write_change(change: Change | None) -> str:
    if change is None:
        return ""
    low, high = change.interval
    return f"{write_loss(change.loss)} ({write_loss(low)} – {write_loss(high)})"
