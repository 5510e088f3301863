"""How the run was made, so that it can be made again, and what the words mean."""

from __future__ import annotations

from headway.report.card import write_base
from headway.report.content import ReportContent
from headway.report.figures import write_seconds
from headway.report.markup import Markup, element, join, table
from headway.report.translation import Lang, translate
from headway.report.words import Say, explain_terms, speak


def show_origin(content: ReportContent, lang: Lang) -> Markup:
    """Return source, task, seed, time, machine, library versions and remarks."""
    say = speak(lang)
    rows = [(name, value) for name, value in _list_facts(content, say) if value]
    remarks = None
    if content.remarks:
        items = [element("li", translate(remark, lang)) for remark in content.remarks]
        remarks = join([element("h3", say("remarks")), element("ul", *items)])
    return join([table((), rows), remarks])


def show_glossary(lang: Lang) -> Markup:
    """Return what the technical words mean."""
    return element("dl", *(join([element("dt", term), element("dd", words)]) for term, words in explain_terms(lang)))


def _list_facts(content: ReportContent, say: Say) -> list[tuple[str, str]]:
    duration = write_seconds(content.seconds, say)
    if content.budget_seconds is not None:
        budget = write_seconds(content.budget_seconds, say)
        duration = say("duration_of", seconds=duration, budget=budget)
    libraries = say("comma").join(f"{name} {version}" for name, version in content.libraries.items())
    return [
        (say("source"), content.source),
        (
            say("task"),
            say(
                "task_draw" if content.drawing is not None else f"task_{content.task}",
                target=content.target,
                count=len(content.labels),
            ),
        ),
        (say("base_model"), write_base(content, say)),
        (say("created"), content.created),
        (say("duration"), duration),
        (say("seed"), str(content.seed)),
        (say("machine"), content.machine),
        (say("libraries"), libraries),
    ]
