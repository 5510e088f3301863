"""The running experiments as pictures: how the difference of each arm, and what is known of it, went over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headway.report.charts.canvas import figure
from headway.report.markup import Markup, element, join, table
from headway.report.translation import Lang
from headway.serving.experiments.judging import ArmResult
from headway.serving.experiments.standing import Standing
from headway.serving.experiments.wording import tell_misfits, tell_missing, tell_verdict
from headway.serving.page.language import say
from headway.serving.page.pictures import draw_band

_WIDE = 820
_HOUR = 3600.0


def experiments_panel(latest: Callable[[], Sequence[Standing]]) -> Callable[[str], Markup]:
    """Return what shows the experiments that `latest` tells of, in a language."""

    def show(lang: str) -> Markup:
        spoken: Lang = "zh" if lang == "zh" else "en"
        return join([_show(standing, spoken) for standing in latest()])

    return show


def _show(standing: Standing, lang: Lang) -> Markup:
    experiment, judgement = standing.experiment, standing.judgement
    rows = [_row(arm, lang) for arm in judgement.arms]
    header = tuple(say(key, lang) for key in ("arm", "units", "mean", "difference", "state"))
    pictures = [_picture(arm, experiment.started, lang) for arm in judgement.arms[1:] if len(arm.path) > 1]
    return join(
        [
            element("h3", f"{say('experiments', lang)} · {experiment.name}"),
            element("p", tell_verdict(experiment, judgement, lang)),
            *(element("p", words) for words in _tell_idle(standing, lang)),
            table(header, rows),
            *pictures,
        ]
    )


def _tell_idle(standing: Standing, lang: Lang) -> list[str]:
    """Return why arms get no traffic."""
    missing = tell_missing(standing.missing, served=True, store="", language=lang) if standing.missing else ""
    return [words for words in (missing, tell_misfits(standing.misfits, lang)) if words]


def _row(arm: ArmResult, lang: Lang) -> tuple[str, ...]:
    mean = f"{arm.mean:.3f}" if arm.units else "–"
    state = say("ended" if arm.ended else "running", lang)
    if arm.finding is None:
        return arm.name, f"{arm.units:,}", mean, say("control", lang), state
    low, high = arm.finding.interval
    known = f"{arm.finding.difference:+.3f} ({low:+.3f} – {high:+.3f})" if abs(low) < float("inf") else "–"
    return arm.name, f"{arm.units:,}", mean, known, state


def _picture(arm: ArmResult, started: float, lang: Lang) -> Markup:
    in_days = arm.path[-1][0] - started > 72 * _HOUR
    unit = 24 * _HOUR if in_days else _HOUR
    points = [((at - started) / unit, difference, low, high) for at, difference, low, high in arm.path]
    words = say("difference_words", lang, arm=arm.name)
    return figure(
        lambda width: draw_band(points, width, x_name=say("days_since" if in_days else "hours_since", lang)),
        title=arm.name,
        description=words,
        caption=words,
        wide=_WIDE,
    )
