"""The mistakes themselves."""

from __future__ import annotations

from headway.data.dataset import ROW
from headway.report.cells import show_cells
from headway.report.content import ReportContent
from headway.report.figures import write_share, write_value
from headway.report.markup import Markup, element, folded_table, join
from headway.report.translation import Lang
from headway.report.words import speak
from headway.runtime.manifest import Label

FIRST = 10


def show_mistakes(content: ReportContent, lang: Lang) -> Markup:
    """Return the wrong answers the model was surest of, or the largest errors, with their rows."""
    say = speak(lang)
    if content.parts:
        titles = (element("h3", part.target, attributes={"class": "target"}) for part in content.parts)
        told = [join([title, show_mistakes(part, lang)]) for title, part in zip(titles, content.parts, strict=True)]
        return join(told)
    if not content.scores.mistakes:
        return element("p", say("mistakes_none"))
    classify = content.task == "classify"
    rows = [
        (
            _number(each.cells.get(ROW, each.position)),
            show_cells(each.cells, content.inputs, content.folder),
            _write(each.actual, classify=classify),
            _write(each.predicted, classify=classify),
            *(() if each.confidence is None else (write_share(each.confidence),)),
        )
        for each in content.scores.mistakes
    ]
    head = [say("row"), say("examples"), say("actual"), say("predicted"), *([say("confidence")] if classify else [])]
    numbers = (0, 4) if classify else (0, 2, 3)
    words = say("mistakes_words" if classify else "errors_words")
    more = say("show_more", count=len(rows) - FIRST)
    return join([element("p", words), folded_table(head, rows, first=FIRST, more=more, numbers=numbers, kind="loose")])


def _number(row: object) -> str:
    return f"{row:,}" if isinstance(row, int) else str(row)


def _write(answer: Label, *, classify: bool) -> str:
    return str(answer) if classify else write_value(float(answer))
