"""What a model that writes has written, beside the yardstick."""

from __future__ import annotations

from headway.evaluation.writing.judged import Writing
from headway.report.content import ReportContent
from headway.report.figures import write_metric
from headway.report.markup import Markup, element, join, table
from headway.report.translation import Lang, name_metric
from headway.report.words import Say, speak

LONGEST_COPY = 200


def show_writing(content: ReportContent, lang: Lang) -> Markup | None:
    """Return the figures of both models on the same test part, the paired test, samples, and what was copied."""
    writing = content.writing
    if writing is None:
        return None
    say = speak(lang)
    verdict = writing.against.verdict_zh if lang == "zh" else writing.against.verdict
    return join(
        [
            element("h3", say("writing_figures", name=writing.yardstick)),
            _list_figures(content, writing, lang, say),
            element("p", verdict),
            element("p", say(f"writing_units_{writing.units}"), attributes={"class": "made"}),
            element("h3", say("writing_samples")),
            element("p", say("writing_samples_words", count=writing.written)),
            _list_samples(content, writing, say),
            element("h3", say("writing_copy")),
            element("p", say("writing_copy_words", count=f"{len(writing.copy):,}")),
            element("blockquote", writing.copy[:LONGEST_COPY]) if writing.copy.strip() else None,
        ]
    )


def _list_figures(content: ReportContent, writing: Writing, lang: Lang, say: Say) -> Markup:
    rows = [
        (name_metric(name, lang), write_metric(name, value), write_metric(name, writing.baseline[name]))
        for name, value in content.scores.metrics.items()
        if name in writing.baseline
    ]
    return table((say("metric"), content.winner, writing.yardstick), rows, numbers=(1, 2))


def _list_samples(content: ReportContent, writing: Writing, say: Say) -> Markup:
    has_references = any(sample.reference for sample in writing.samples)
    rows = [
        (
            _text(sample.prompt.strip() or say("writing_from_nothing")),
            _text(sample.written),
            _text(sample.baseline),
            *((_text(sample.reference),) if has_references else ()),
        )
        for sample in writing.samples
    ]
    head = [say("writing_prompt"), content.winner, writing.yardstick]
    return table([*head, *([say("writing_reference")] if has_references else [])], rows, kind="loose")


def _text(text: str) -> Markup:
    """Return a text with its line ends."""
    return element("div", text, attributes={"class": "written"})
