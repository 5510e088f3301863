"""What a model that writes has written, beside the yardstick."""

from __future__ import annotations

from headway.evaluation.comparison import Comparison
from headway.evaluation.writing.judged import Writing
from headway.report.content import ReportContent
from headway.report.figures import write_metric
from headway.report.markup import Markup, element, join, table
from headway.report.translation import Lang, name_metric
from headway.report.words import Say, speak

LONGEST_COPY = 200


def show_writing(content: ReportContent, lang: Lang) -> Markup | None:
    """Return the figures of all models on the same test part, the paired tests, samples, and what was copied."""
    writing = content.writing
    if writing is None:
        return None
    say = speak(lang)
    tests = [writing.against, *([] if writing.before is None else [writing.before.against])]
    return join(
        [
            element("h3", say("writing_figures", name=_names(writing, say))),
            _list_figures(content, writing, lang, say),
            *(element("p", _say_verdict(test, lang)) for test in tests),
            element("p", say(f"writing_units_{writing.units}"), attributes={"class": "made"}),
            _tell_bits(writing, say),
            element("h3", say("writing_samples")),
            element("p", say("writing_samples_words", count=writing.written)),
            _list_samples(content, writing, say),
            element("h3", say("writing_copy")),
            element("p", say("writing_copy_words", count=f"{len(writing.copy):,}")),
            element("blockquote", writing.copy[:LONGEST_COPY]) if writing.copy.strip() else None,
        ]
    )


def _names(writing: Writing, say: Say) -> str:
    base = [] if writing.before is None else [say("writing_before", name=writing.before.name)]
    return say("comma").join([*base, writing.yardstick])


def _tell_bits(writing: Writing, say: Say) -> Markup | None:
    """Say what the few bits cost in which the model ships."""
    if not writing.proof:
        return None
    change, sizes = writing.proof["perplexity_change"], ("size_mb_float32", "size_mb")
    before, after = (f"{writing.proof[name]:.0f}" for name in sizes)
    told = {"precision": writing.precision, "change": f"{100 * change:+.1f}%", "before": before, "after": after}
    return element("p", say("writing_bits", **told))


def _say_verdict(test: Comparison, lang: Lang) -> str:
    return test.chinese_verdict(name_metric(test.metric, lang)) if lang == "zh" else test.verdict


def _list_figures(content: ReportContent, writing: Writing, lang: Lang, say: Say) -> Markup:
    columns = [content.scores.metrics, *([] if writing.before is None else [writing.before.metrics]), writing.baseline]
    rows = [
        (name_metric(name, lang), *(write_metric(name, each[name]) if name in each else "" for each in columns))
        for name in content.scores.metrics
        if any(name in each for each in columns[1:])
    ]
    base = [] if writing.before is None else [say("writing_before", name=writing.before.name)]
    head = (say("metric"), content.winner, *base, writing.yardstick)
    return table(head, rows, numbers=tuple(range(1, len(head))))


def _list_samples(content: ReportContent, writing: Writing, say: Say) -> Markup:
    """Return what was written side by side: by the base before and after it was taught, or beside the yardstick."""
    has_references = any(sample.reference for sample in writing.samples)
    before = writing.before
    rows = [
        (
            _text(sample.prompt.strip() or say("writing_from_nothing")),
            *(() if before is None else (_text(sample.before or ""),)),
            _text(sample.written),
            *((_text(sample.baseline),) if before is None else ()),
            *((_text(sample.reference),) if has_references else ()),
        )
        for sample in writing.samples
    ]
    head = [say("writing_prompt")]
    head += [content.winner, writing.yardstick] if before is None else []
    head += [] if before is None else [say("writing_before", name=before.name), content.winner]
    return table([*head, *([say("writing_reference")] if has_references else [])], rows, kind="loose")


def _text(text: str) -> Markup:
    """Return a text with its line ends."""
    return element("div", text, attributes={"class": "written"})
