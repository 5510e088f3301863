"""The model card that goes into a package: Markdown, in English and Chinese."""

from __future__ import annotations

import html

from headway.evaluation.metrics import greater_is_better
from headway.report.advice import name_slice, write_slice_score
from headway.report.charts.heat import find_worst_pairs
from headway.report.content import ReportContent
from headway.report.figures import write_interval, write_metric, write_of_hundred
from headway.report.sections.usage import write_python
from headway.report.summary import summarise
from headway.report.translation import Lang, name_metric, translate
from headway.report.words import Say, speak

# The sections follow Mitchell et al. 2019, "Model Cards for Model Reporting", shortened to what a run can know.


def model_card(content: ReportContent, *, languages: tuple[Lang, ...] = ("en", "zh")) -> str:
    """Return the card of a run's package, one part per language.

    Raises nothing for labels or names that hold Markdown or HTML: they are shown as text.
    """
    return "\n\n---\n\n".join(_write_card(content, lang) for lang in languages) + "\n"


def _write_card(content: ReportContent, lang: Lang) -> str:
    say = speak(lang)
    inputs = say("comma").join(
        f"{_plain(column.name)} ({say(f'modality_{column.modality}')})" for column in content.inputs
    )
    paragraphs = [
        f"# {_plain(content.name)}",
        say(
            "card_intro" if content.drawing is None else "card_intro_pictures",
            inputs=inputs,
            target=_plain(content.target),
        ),
        *(_plain(paragraph) for paragraph in summarise(content, lang)),
        f"## {say('quality')}",
        _list_metrics(content, lang, say),
        f"## {say('card_use')}",
        say("card_use_words"),
        f"## {say('card_limits')}",
        _list_weaknesses(content, say),
        f"## {say('card_data')}",
        _list_data(content, lang, say),
    ]
    if content.package is not None:
        paragraphs += [f"## {say('usage')}", f"```python\n{write_python(content.package).replace('```', '')}\n```"]
    base = write_base(content, say)
    facts = (
        (say("base_model"), base),
        (say("created"), content.created),
        (say("seed"), content.seed),
        (say("machine"), content.machine),
    )
    libraries = say("comma").join(f"{name} {version}" for name, version in content.libraries.items())
    listed = [f"- {name}: {_plain(value)}" for name, value in (*facts, (say("libraries"), libraries)) if value != ""]
    return "\n\n".join([*paragraphs, f"## {say('origin')}", "\n".join(listed)])


def write_base(content: ReportContent, say: Say) -> str:
    """Return the pretrained model with its licence and the start of its digest; empty where there is none."""
    base = content.base
    if not base:
        return ""
    return say("base_words", name=base["name"], licence=base["licence"], digest=base["digest"][:16])


def _list_metrics(content: ReportContent, lang: Lang, say: Say) -> str:
    scores = content.scores
    lines = [f"| {say('metric')} | {say('value')} | {say('interval')} |", "|---|--:|--:|"]
    for name, value in scores.metrics.items():
        arrow = "" if name.startswith("width_") else "↑" if greater_is_better(name) else "↓"
        interval = write_interval(name, scores.intervals.get(name))
        lines.append(f"| {name_metric(name, lang)} {arrow} | {write_metric(name, value)} | {interval} |")
    return "\n".join([*lines, "", say("arrows")])


def _list_weaknesses(content: ReportContent, say: Say) -> str:
    lines = [
        "- "
        + say(
            "card_weak",
            part=_plain(name_slice(part, say)),
            score=write_slice_score(part.score, content),
            overall=write_slice_score(part.overall, content),
        )
        for part in content.scores.slices[:5]
    ]
    if content.scores.confusion is not None:
        pairs = find_worst_pairs(content.scores.confusion, most=3)
        lines += [
            "- "
            + say(
                "card_pair",
                actual=_plain(content.labels[i]),
                predicted=_plain(content.labels[j]),
                count=write_of_hundred(share),
                rows=f"{rows:,}",
            )
            for i, j, rows, share in pairs
        ]
    return "\n".join(lines) or say("slices_none")


def _list_data(content: ReportContent, lang: Lang, say: Say) -> str:
    rows = content.rows
    counts = say("flow_words", read=f"{rows.read:,}", train=f"{rows.train:,}", test=f"{rows.test:,}")
    return "\n".join(
        [counts, "", *(f"- {_plain(translate(each.message, lang))}" for each in content.findings)]
    ).rstrip()


def _plain(text: object) -> str:
    """Return text that Markdown shows as it is, on one line."""
    flat = html.escape(" ".join(str(text).split()), quote=False)
    for mark in "\\`*[]|#":
        flat = flat.replace(mark, "\\" + mark)
    return flat
