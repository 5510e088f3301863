"""The page as a whole."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING

from headway.report.markup import Markup, block, element, join
from headway.report.translation import Lang, name_metric
from headway.serving.deployments import Deployment
from headway.serving.endpoints.openapi import example_rows
from headway.serving.page.form import show_form
from headway.serving.page.language import read_words, say
from headway.serving.page.live import show_live

if TYPE_CHECKING:
    from headway.serving.drawing.deployment import ImageDeployment
    from headway.serving.service import Service
    from headway.serving.writing.deployment import TextDeployment

# The page may load what this service has and nothing else, and nobody may frame it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What the script says by itself.
_SCRIPT_WORDS = ("ask", "asking", "answer", "sure", "probabilities", "more_labels", "took", "is_right", "yes",
                 "right_one", "send", "kept", "counted", "wrong", "expected", "next", "no_number", "unreached",
                 "copied")  # fmt: skip


def render_page(service: Service, deployment: Deployment, lang: Lang, *, url: str) -> Markup:
    """Return the page for one deployment."""
    main = element(
        "main",
        _top(service, deployment, lang),
        element("section", element("h2", say("try", lang)),
                element("noscript", element("p", say("no_script", lang))),
                show_form(deployment, lang),
                element("div", attributes={"id": "answer", "role": "status", "aria-live": "polite"})),
        element("section", element("h2", say("live", lang)),
                element("p", say("live_words", lang), attributes={"class": "made"}),
                element("div", show_live(service, lang), attributes={"id": "live"})),
        element("section", element("h2", say("use", lang)), _usage(deployment, lang, url)),
    )  # fmt: skip
    return _wrap(deployment.name, main, lang)


def render_writer(service: Service, deployment: TextDeployment, lang: Lang, *, url: str) -> Markup:
    """Return the page for one deployment that writes text."""
    from headway.serving.page.writing import show_writing, write_usage

    facts = deployment.manifest.generation
    assert facts is not None
    shell, python = write_usage(deployment, url)
    main = element(
        "main",
        _links(service, deployment.name, lang),
        element("h1", deployment.name),
        element("p", say("writes", lang, window=f"{facts.window:,}", precision=facts.precision),
                attributes={"class": "lead"}),
        element("section", element("h2", say("try", lang)), element("noscript", element("p", say("no_script", lang))),
                show_writing(deployment, lang)),
        element("section", element("h2", say("live", lang)),
                element("div", show_live(service, lang), attributes={"id": "live"})),
        element("section", element("h2", say("use", lang)), _code(shell, lang), _code(python, lang)),
    )  # fmt: skip
    return _wrap(deployment.name, main, lang)


def render_painter(service: Service, deployment: ImageDeployment, lang: Lang, *, url: str) -> Markup:
    """Return the page for one deployment that draws pictures."""
    from headway.serving.page.drawing import show_drawing, write_usage

    facts = deployment.generator.facts
    shell, python = write_usage(deployment, url)
    lead = say("draws", lang, width=facts.width, height=facts.height)
    main = element(
        "main",
        _links(service, deployment.name, lang),
        element("h1", deployment.name),
        element("p", lead, attributes={"class": "lead"}),
        element("section", element("h2", say("try", lang)), element("noscript", element("p", say("no_script", lang))),
                show_drawing(deployment, lang)),
        element("section", element("h2", say("live", lang)),
                element("div", show_live(service, lang), attributes={"id": "live"})),
        element("section", element("h2", say("use", lang)), _code(shell, lang), _code(python, lang)),
    )  # fmt: skip
    return _wrap(deployment.name, main, lang)


def render_sign_in(lang: Lang, *, failed: bool) -> Markup:
    """Return the page that asks for a key."""
    form = element(
        "form",
        block("field", element("label", say("key", lang), attributes={"for": "key"}),
              element("input", attributes={"id": "key", "name": "key", "type": "password", "required": "",
                                           "autocomplete": "current-password", "autofocus": ""})),
        element("button", say("sign_in", lang), attributes={"type": "submit"}),
        attributes={"method": "post", "action": f"/sign-in?lang={lang}"},
    )  # fmt: skip
    words = [element("p", say("bad_key", lang), attributes={"class": "wrong", "role": "alert"})] if failed else []
    main = element("main", element("h1", "Headway"), element("p", say("needs_key", lang)), *words, form)
    return _wrap("Headway", main, lang)


def read_asset(name: str) -> bytes:
    """Return the page's script, or its style, which begins with that of the reports."""
    own = resources.files("headway.serving.page").joinpath(name).read_bytes()
    if name != "page.css":
        return own
    return resources.files("headway.report").joinpath("page.css").read_bytes() + b"\n" + own


def _top(service: Service, deployment: Deployment, lang: Lang) -> Markup:
    manifest = deployment.model.manifest
    facts = say("version", lang, version=deployment.version, winner=manifest.winner or "–",
                created=manifest.created[:10] or "–")  # fmt: skip
    return join([
        _links(service, deployment.name, lang),
        element("h1", deployment.name),
        element("p", ("" if lang == "zh" else " ").join([say("asks", lang, target=manifest.target),
                                                         _score(deployment, lang)]), attributes={"class": "lead"}),
        element("p", facts, attributes={"class": "made"}),
    ])  # fmt: skip


def _links(service: Service, current: str, lang: Lang) -> Markup:
    """Return the links to the other models and the other language."""
    other = "en" if lang == "zh" else "zh"
    link = element("a", say("other_language", lang), attributes={
        "href": f"/?lang={other}&model={current}", "lang": "zh-CN" if other == "zh" else "en", "id": "language",
    })  # fmt: skip
    names = [*service.registry.keys(), *service.writers, *service.painters]
    others = [
        element("a", name, attributes={"href": f"/?lang={lang}&model={name}",
                                       "aria-current": "page" if name == current else None})
        for name in names
    ] if len(names) > 1 else []  # fmt: skip
    return element("nav", *others, link, attributes={"aria-label": say("model", lang)})


def _score(deployment: Deployment, lang: Lang) -> str:
    """Return the leading metric in words."""
    manifest = deployment.model.manifest
    for metric, value in manifest.metrics.items():
        words = say("score", lang, metric=name_metric(metric, lang), value=f"{value:.3g}")
        if metric not in manifest.intervals:
            return words + ("。" if lang == "zh" else ".")
        low, high = manifest.intervals[metric]
        between = say("between", lang, low=f"{low:.3g}", high=f"{high:.3g}")
        return words + between + ("。" if lang == "zh" else ".")
    return ""


def _usage(deployment: Deployment, lang: Lang, url: str) -> Markup:
    """Return how a program asks, with the example row."""
    rows = json.dumps({"rows": example_rows(deployment), "model": deployment.name}, ensure_ascii=False)
    shell = f"curl {url}/v1/predict \\\n  -H 'content-type: application/json' \\\n  -d '{_quoted(rows)}'"
    row = ", ".join(f"{name!r}: {cell!r}" for name, cell in example_rows(deployment)[0].items())
    asked = f"[{{{row}}}], model={deployment.name!r}"
    python = f"import headway\n\nwith headway.Client({url!r}) as client:\n    client.predict({asked})"
    link = element("a", "/openapi.json", attributes={"href": "/openapi.json"})
    before, _, after = say("schema", lang, link="\0").partition("\0")
    return join([_code(shell, lang), _code(python, lang), element("p", before, link, after)])


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")


def _code(text: str, lang: Lang) -> Markup:
    attributes = {"class": "copy", "type": "button", "data-done": say("copied", lang)}
    return block(
        "code", element("pre", element("code", text)), element("button", say("copy", lang), attributes=attributes)
    )


def _wrap(title: str, main: Markup, lang: Lang) -> Markup:
    words = {key: read_words()[key][lang] for key in _SCRIPT_WORDS}
    head = element(
        "head",
        element("meta", attributes={"charset": "utf-8"}),
        element("meta", attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", attributes={"name": "color-scheme", "content": "light dark"}),
        element("title", f"{title} · Headway"),
        element("link", attributes={"rel": "icon", "href": "data:,"}),
        element("link", attributes={"rel": "stylesheet", "href": "/page.css"}),
        element("script", attributes={"src": "/page.js", "defer": ""}),
    )
    body = element("body", main, attributes={"data-words": json.dumps(words, ensure_ascii=False), "data-lang": lang})
    html = element("html", head, body, attributes={"lang": "zh-CN" if lang == "zh" else "en"})
    return join([Markup("<!DOCTYPE html>\n"), html, Markup("\n")])
