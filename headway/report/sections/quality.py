"""How good the winner is on the test part."""

from __future__ import annotations

from headway.evaluation.decisions import Threshold
from headway.evaluation.metrics import greater_is_better
from headway.report.advice import name_slice, write_slice_score
from headway.report.charts.bars import Bar, draw_bars
from headway.report.charts.canvas import figure
from headway.report.charts.heat import MOST_LABELS, draw_confusion, find_worst_pairs
from headway.report.charts.lines import draw_calibration
from headway.report.charts.scatter import draw_pairs
from headway.report.content import ReportContent
from headway.report.figures import write_interval, write_metric, write_number, write_share
from headway.report.markup import Markup, element, folded_table, join, table
from headway.report.sections.drawing import show_drawing
from headway.report.sections.writing import show_writing
from headway.report.translation import Lang, name_metric
from headway.report.words import Say, speak

MOST_CLASSES = 12
MOST_PAIRS = 1000


def show_quality(content: ReportContent, lang: Lang) -> Markup:
    """Return figures with intervals, confusion, classes, calibration, slices and the decision."""
    say = speak(lang)
    return join(
        [
            _show_figures(content, lang, say),
            show_writing(content, lang),
            show_drawing(content, lang),
            _show_decision(content, say),
            _show_confusion(content, say),
            _show_classes(content, say),
            _show_pairs(content, say),
            _show_calibration(content, say),
            _show_slices(content, say),
        ]
    )


def _show_figures(content: ReportContent, lang: Lang, say: Say) -> Markup:
    scores = content.scores
    shares = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "roc_auc", "average_precision", "r2")
    bars = [
        Bar(name_metric(name, lang), scores.metrics[name], write_metric(name, scores.metrics[name]),
            scores.intervals[name])
        for name in shares
        if name in scores.intervals and min(scores.metrics[name], *scores.intervals[name]) >= 0
    ]  # fmt: skip
    words = say("figures_words", rows=f"{scores.rows:,}")
    picture = figure(
        lambda width: draw_bars(bars, width, top_value=1.0),
        title=say("figures"),
        description="; ".join(f"{bar.name} {bar.text}" for bar in bars),
        caption=words,
    )
    rows = [
        (
            f"{name_metric(name, lang)} {_point(name)}",
            write_metric(name, value),
            write_interval(name, scores.intervals.get(name)),
        )
        for name, value in scores.metrics.items()
    ]
    head = (say("metric"), say("value"), say("interval"))
    heading = None if bars else join([element("h3", say("figures")), element("p", words)])
    arrows = element("p", say("arrows"), attributes={"class": "made"})
    return join([picture if bars else heading, table(head, rows, numbers=(1, 2)), arrows])


def _point(name: str) -> str:
    """Return which way is better, as an arrow; the width of an interval has no better way of its own."""
    if name.startswith("width_"):
        return ""
    return "↑" if greater_is_better(name) else "↓"


def _show_decision(content: ReportContent, say: Say) -> Markup | None:
    chosen = content.threshold
    if chosen is not None:
        words = say(
            "decision_threshold",
            label=chosen.label,
            threshold=f"{chosen.threshold:.3f}",
            precision=write_share(chosen.precision),
            interval=write_interval("precision", chosen.interval),
            recall=write_share(chosen.recall),
        )
        missed = None if chosen.reached else element("p", say("decision_missed", wanted=write_share(chosen.wanted)))
        return join([element("h3", say("decision")), missed, element("p", words), _doubt_threshold(chosen, say)])
    if content.costs is not None:
        rows = [
            (label, *(write_number(cost) for cost in row))
            for label, row in zip(content.labels, content.costs, strict=True)
        ]
        costs = table(("", *content.labels), rows, numbers=range(1, len(content.labels) + 1))
        return join([element("h3", say("decision")), element("p", say("decision_costs")), costs])
    return None


def _doubt_threshold(chosen: Threshold, say: Say) -> Markup | None:
    """Return a warning where so few rows speak for the wanted precision that the true one may well be lower."""
    low = chosen.interval[0]
    if not chosen.reached or low >= chosen.wanted:
        return None
    return element(
        "p", say("decision_few", rows=f"{chosen.answered:,}", low=write_share(low), wanted=write_share(chosen.wanted))
    )


def _show_confusion(content: ReportContent, say: Say) -> Markup | None:
    counts = content.scores.confusion
    if counts is None:
        return None
    labels = [str(label) for label in content.labels]
    if len(labels) <= MOST_LABELS:
        return figure(
            lambda width: draw_confusion(counts, labels, width, actual=say("actual"), predicted=say("predicted")),
            title=say("confusion"),
            description=say("confusion_words"),
            caption=say("confusion_words"),
        )
    rows = [(labels[i], labels[j], f"{count:,}", write_share(share)) for i, j, count, share in find_worst_pairs(counts)]
    head = (say("actual"), say("predicted"), say("count"), say("share"))
    words = element("p", say("pairs_words", count=len(labels)))
    return join([element("h3", say("pairs")), words, table(head, rows, numbers=(2, 3))])


def _show_classes(content: ReportContent, say: Say) -> Markup | None:
    classes = content.scores.per_class
    if not classes:
        return None
    ranked = sorted(classes.items(), key=lambda item: item[1]["f1"])
    rows = [
        (
            label,
            *(write_share(figures[name]) for name in ("precision", "recall", "f1")),
            f"{figures['support']:,.0f}",
        )
        for label, figures in ranked
    ]
    head = (say("label"), say("precision"), say("recall"), say("f1"), say("count"))
    title, words = element("h3", say("per_class")), element("p", say("per_class_words"))
    more = say("show_more", count=len(rows) - MOST_CLASSES)
    return join([title, words, folded_table(head, rows, first=MOST_CLASSES, more=more, numbers=(1, 2, 3, 4))])


def _show_pairs(content: ReportContent, say: Say) -> Markup | None:
    if not content.pairs:
        return None
    step = max(1, len(content.pairs) // MOST_PAIRS)
    pairs = content.pairs[::step]
    return figure(
        lambda width: draw_pairs(pairs, width, x_name=say("actual"), y_name=say("predicted")),
        title=say("true_against"),
        description=say("true_against_words"),
        caption=say("true_against_words"),
        wide=480,
    )


def _show_calibration(content: ReportContent, say: Say) -> Markup | None:
    bins = content.scores.calibration
    if not bins:
        return None
    picture = figure(
        lambda width: draw_calibration(
            bins, width, x_name=say("confidence"), y_name=say("accuracy_axis"), rows_name=say("rows_axis")
        ),
        title=say("calibration"),
        description=say("calibration_words"),
        caption=say("calibration_words"),
        wide=420,
    )
    fitted = content.calibration
    if fitted is None or not fitted.changes:
        return picture
    words = say("calibrated", temperature=f"{fitted.temperature:.2f}", gain=f"{fitted.gain:.3f}")
    return join([picture, element("p", words)])


def _show_slices(content: ReportContent, say: Say) -> Markup:
    title = element("h3", say("slices"))
    if not content.scores.slices:
        return join([title, element("p", say("slices_none"))])
    rows = [
        (
            name_slice(part, say),
            f"{part.rows:,}",
            write_slice_score(part.score, content),
            write_slice_score(part.overall, content),
        )
        for part in content.scores.slices
    ]
    head = (say("part"), say("count"), say("score_here"), say("score_overall"))
    return join([title, element("p", say("slices_words")), table(head, rows, numbers=(1, 2, 3))])
