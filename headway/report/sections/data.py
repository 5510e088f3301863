"""What the data is, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headway.data.dataset import Finding
from headway.report.cells import show_cells
from headway.report.charts.bars import Bar, draw_bars
from headway.report.charts.canvas import figure
from headway.report.charts.histogram import draw_histogram
from headway.report.content import Change, ReportContent
from headway.report.figures import write_share
from headway.report.markup import Markup, block, element, folded_table, join, span, table
from headway.report.translation import Lang, translate
from headway.report.words import Say, has_sentence, speak

MOST_LABELS = 20
MOST_COLUMNS = 100
MOST_LABEL_ERRORS = 30
FIRST = 10
# Examples of changed rows are there to recognise them, not to be read.
SHORT = 100


def show_data(content: ReportContent, lang: Lang) -> Markup:
    """Return where the rows went, the target, the columns, what was found, changed and mislabelled."""
    say = speak(lang)
    return join(
        [
            _show_flow(content, say),
            *(_show_target(each, say) for each in content.each),
            _show_columns(content, say),
            _show_changes(content, lang, say),
            _show_label_errors(content, say),
        ]
    )


def show_findings(findings: Sequence[Finding], lang: Lang) -> Markup:
    """Return the findings as a list, the gravest first."""
    say = speak(lang)
    order = {"error": 0, "warning": 1, "info": 2}
    items = [
        element(
            "li", span(f"badge {each.severity}", say(f"severity_{each.severity}")), " ", translate(each.message, lang)
        )
        for each in sorted(findings, key=lambda each: order[each.severity])
    ]
    if not items:
        return element("p", say("nothing_wrong"))
    return element("ul", *items, attributes={"class": "findings"})


def _show_flow(content: ReportContent, say: Say) -> Markup:
    rows = content.rows
    steps = (
        ("learnt", rows.train, "good"),
        ("tested", rows.test, "first"),
        ("duplicates", rows.duplicates, "muted"),
        ("set_aside", rows.set_aside, "warn"),
        ("rejected", rows.rejected, "bad"),
    )
    bars = [
        Bar(say(key), count, f"{count:,} ({write_share(count / max(rows.read, 1))})", kind=kind)
        for key, count, kind in steps
        if count or key in {"learnt", "tested"}
    ]
    words = say("flow_words", read=f"{rows.read:,}", train=f"{rows.train:,}", test=f"{rows.test:,}")
    return figure(lambda width: draw_bars(bars, width), title=say("flow"), description=words, caption=words)


def _show_target(content: ReportContent, say: Say) -> Markup | None:
    if content.balance:
        total = sum(content.balance.values())
        ranked = sorted(content.balance.items(), key=lambda item: -item[1])
        kept, rest = ranked[:MOST_LABELS], ranked[MOST_LABELS:]
        bars = [Bar(label, rows, f"{rows:,} ({write_share(rows / total)})") for label, rows in kept]
        if rest:
            rows = sum(rows for _, rows in rest)
            name = say("balance_rest", count=len(rest))
            bars.append(Bar(name, rows, f"{rows:,} ({write_share(rows / total)})", kind="muted"))
        description = ", ".join(f"{bar.name} {bar.text}" for bar in bars)
        return figure(lambda width: draw_bars(bars, width), title=_title(content, say), description=description)
    if len(content.values) > 1:
        title = say("spread", target=content.target)
        return figure(
            lambda width: draw_histogram(content.values, width, x_name=content.target, y_name=say("rows_axis")),
            title=title,
            description=title,
        )
    return None


def _title(content: ReportContent, say: Say) -> str:
    """Return the title of the picture of labels; the target of several is named."""
    title = say("balance")
    return say("of_target", target=content.target, words=title) if content.is_part else title


def _show_columns(content: ReportContent, say: Say) -> Markup | None:
    if not content.columns:
        return None
    rows = []
    for column in content.columns[:MOST_COLUMNS]:
        role = None if column.role == "input" else span("badge", say(f"role_{column.role}"))
        kind = say(f"modality_{column.modality}") if column.role != "ignored" and column.modality else ""
        distinct = "" if column.distinct is None else f"{column.distinct:,}"
        rows.append((join([column.name, " ", role]), kind, write_share(column.missing), distinct, column.note))
    head = (say("column"), say("kind"), say("missing"), say("distinct"), say("note"))
    return join([element("h3", say("columns")), table(head, rows, numbers=(2, 3), kind="loose")])


def _show_changes(content: ReportContent, lang: Lang, say: Say) -> Markup | None:
    if not content.changes:
        return None
    rows = [
        (
            say(f"step_{change.step}") if has_sentence(f"step_{change.step}") else change.step,
            translate(change.reason, lang),
            f"{change.rows:,}",
            block(
                "examples",
                *(
                    show_cells(_named(change, cells, say), content.inputs, content.folder, longest=SHORT)
                    for cells in change.examples[:3]
                ),
            ),
        )
        for change in content.changes
    ]
    head = (say("step"), say("reason"), say("count"), say("examples"))
    title, words = element("h3", say("changes")), element("p", say("changes_words"))
    return join([title, words, table(head, rows, numbers=(2,), kind="loose")])


def _named(change: Change, cells: Mapping[str, object], say: Say) -> Mapping[str, object]:
    """Return what is shown of a row: its cells, or the place of one that could not be read, in words."""
    return {say(f"place_{name}"): value for name, value in cells.items()} if change.step == "rejected" else cells


def _show_label_errors(content: ReportContent, say: Say) -> Markup | None:
    if not content.label_errors:
        return None
    ranked = sorted(content.label_errors, key=lambda each: -each.confidence)
    rows = [
        (
            f"{each.row:,}",
            show_cells(each.cells, content.inputs, content.folder),
            each.given,
            each.suggested,
            write_share(each.confidence),
        )
        for each in ranked[:MOST_LABEL_ERRORS]
    ]
    head = (say("row"), say("examples"), say("given"), say("suggested"), say("confidence"))
    left = len(ranked) - len(rows)
    more = say("show_more", count=len(rows) - FIRST)
    return join(
        [
            element("h3", say("label_errors")),
            element("p", say("label_errors_words")),
            folded_table(head, rows, first=FIRST, more=more, numbers=(0, 4), kind="loose"),
            element("p", say("more_rows", count=f"{left:,}")) if left > 0 else None,
        ]
    )
