"""The report: one HTML file that opens offline and asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from pathlib import Path

import headway
from headway.compute.drafts import whole_file
from headway.report.advice import advise
from headway.report.content import ReportContent
from headway.report.markup import Markup, block, element, join, span
from headway.report.sections.bought import show_bought
from headway.report.sections.candidates import show_candidates
from headway.report.sections.compression import show_compression
from headway.report.sections.data import show_data, show_findings
from headway.report.sections.mistakes import show_mistakes
from headway.report.sections.origin import show_glossary, show_origin
from headway.report.sections.quality import show_quality
from headway.report.sections.usage import show_usage
from headway.report.summary import summarise
from headway.report.translation import Lang
from headway.report.words import Say, speak


def write_report(path: Path, content: ReportContent, *, lang: Lang = "en") -> Path:
    """Write the report of a run to `path` and return it; a file that is there is replaced in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft:
        draft.write_text(render_report(content, lang), encoding="utf-8")
    return path


def language_of(path: Path) -> Lang | None:
    """Return the language in which a report was written, None for a page that is none."""
    with path.open(encoding="utf-8", errors="replace") as page:
        found = re.search(r'<html lang="(en|zh)', page.read(1_000))
    return None if found is None else ("zh" if found[1] == "zh" else "en")


def render_report(content: ReportContent, lang: Lang) -> Markup:
    """Return the whole page."""
    say = speak(lang)
    title = say("title", name=content.name)
    sections: list[tuple[str, Markup]] = [
        ("data", show_data(content, lang)),
        ("candidates", show_candidates(content, lang)),
        ("quality", show_quality(content, lang)),
        *([] if content.task == "generate" else [("mistakes", show_mistakes(content, lang))]),
    ]
    if content.bought is not None:
        sections.insert(2, ("bought", show_bought(content.bought, content, lang)))
    if content.compression is not None:
        sections.append(("compression", show_compression(content.compression, lang)))
    if content.package is not None:
        sections.append(("usage", show_usage(content.package, lang)))
    sections += [("origin", show_origin(content, lang)), ("glossary", show_glossary(lang))]
    body = element(
        "main",
        element("h1", title),
        element("p", say("made_by", version=headway.__version__, created=content.created or "–"),
                attributes={"class": "made"}),
        _show_summary(content, lang, say),
        _show_contents([key for key, _ in sections], say),
        *(element("section", element("h2", say(key)), filled, attributes={"id": key}) for key, filled in sections),
    )  # fmt: skip
    return _wrap(title, body, lang)


def _show_summary(content: ReportContent, lang: Lang, say: Say) -> Markup:
    first, *others = summarise(content, lang)
    steps = element("ol", *(element("li", step) for step in advise(content, lang)))
    return element(
        "section",
        element("h2", say("in_short")),
        element("p", first, attributes={"class": "lead"}),
        *(element("p", each) for each in others),
        block(
            "columns",
            block("half", element("h3", say("what_wrong")), show_findings(content.findings, lang)),
            block("half", element("h3", say("what_next")), steps),
        ),
        attributes={"id": "summary"},
    )


def _show_contents(keys: list[str], say: Say) -> Markup:
    links = [element("a", say(key), attributes={"href": f"#{key}"}) for key in keys]
    return element("nav", span("nav-title", say("contents")), *links, attributes={"aria-label": say("contents")})


def _wrap(title: str, body: Markup, lang: Lang) -> Markup:
    """Return a page whose policy forbids every request and every script but its own."""
    style, script = _read("page.css"), _read("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    head = element(
        "head",
        element("meta", attributes={"charset": "utf-8"}),
        element("meta", attributes={"http-equiv": "Content-Security-Policy", "content": policy}),
        element("meta", attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", attributes={"name": "color-scheme", "content": "light dark"}),
        element("title", title),
        element("style", Markup(style)),
    )
    page = element(
        "html", head, element("body", body, element("script", Markup(script))),
        attributes={"lang": "zh-CN" if lang == "zh" else "en"},
    )  # fmt: skip
    return join([Markup("<!DOCTYPE html>\n"), page, Markup("\n")])


def _read(name: str) -> str:
    return resources.files("headway.report").joinpath(name).read_text(encoding="utf-8")
