"""What goes on: traffic, latency, and what learning from production has to say, as pictures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from headway.report.charts.bars import Bar, draw_bars
from headway.report.charts.canvas import figure
from headway.report.markup import Markup, element, join
from headway.report.translation import Lang
from headway.serving.drift.wording import name_aspect
from headway.serving.page.language import say
from headway.serving.page.pictures import draw_minutes
from headway.serving.telemetry import SLOT_SECONDS, Moment, Telemetry

if TYPE_CHECKING:
    from headway.serving.service import Service

_MINUTES = 10.0
_DRIFTS = 20
_WIDE = 820


def show_live(service: Service, lang: Lang) -> Markup:
    """Return the section that is renewed all the time."""
    moments = service.telemetry.moments()[:-1]  # the last slot is not over
    panels = [panel(lang) for panel in service.panels]
    return join(
        [
            _now(service.telemetry, moments, lang),
            _traffic(moments, lang),
            _latency(moments, lang),
            _cost(service, moments, lang),
            *_learning(service, lang),
            *(panel for panel in panels if isinstance(panel, Markup)),
        ]
    )


def _now(telemetry: Telemetry, moments: list[Moment], lang: Lang) -> Markup:
    """Return the figures of this moment."""
    last = moments[-60 // SLOT_SECONDS :]
    rate = sum(moment.requests for moment in last) / 60
    figures = [
        ("rate", f"{rate:,.1f}"),
        ("rows_total", f"{telemetry.read('rows'):,}"),
        ("waiting", f"{telemetry.read('waiting_rows'):,}"),
        ("workers", str(len(telemetry.of_each_worker("pid")) or 1)),
        ("corrections", f"{telemetry.read('feedback'):,}"),
    ]
    cells = [element("div", element("b", value), element("span", say(key, lang))) for key, value in figures]
    rows = telemetry.read("batch_rows")
    seconds = f"{telemetry.read('model_us') / 1e3 / rows:.3g}" if rows else None
    pace = element("p", say("cost_words", lang, seconds=seconds), attributes={"class": "made"}) if seconds else None
    return join([element("div", *cells, attributes={"class": "figures"}), pace])


def _traffic(moments: list[Moment], lang: Lang) -> Markup:
    requests = [(moment.ago / 60, moment.requests / SLOT_SECONDS) for moment in moments]
    errors = [(moment.ago / 60, moment.errors / SLOT_SECONDS) for moment in moments]
    series = [(say("requests", lang), "first", requests), (say("errors", lang), "second", errors)]
    return figure(
        lambda width: draw_minutes(series, width, minutes=_MINUTES, x_name=say("minutes_ago", lang), whole=True),
        title=say("traffic", lang), description=say("traffic_words", lang),
        caption=say("traffic_words", lang), wide=_WIDE,
    )  # fmt: skip


def _latency(moments: list[Moment], lang: Lang) -> Markup:
    half = [(moment.ago / 60, _ms(moment.p50)) for moment in moments]
    most = [(moment.ago / 60, _ms(moment.p95)) for moment in moments]
    series = [(say("half", lang), "first", half), (say("most", lang), "second", most)]
    return figure(
        lambda width: draw_minutes(series, width, minutes=_MINUTES, x_name=say("minutes_ago", lang)),
        title=say("latency", lang), description=say("latency_words", lang),
        caption=say("latency_words", lang), wide=_WIDE,
    )  # fmt: skip


def _cost(service: Service, moments: list[Moment], lang: Lang) -> Markup | None:
    """Return what 1,000 predictions cost minute by minute, where the price of the machine is known."""
    price = service.price
    if price is None:
        return None
    slots = 60 // SLOT_SECONDS
    rows = [sum(each.rows for each in moments[max(0, end - slots) : end]) for end in range(1, len(moments) + 1)]
    a_minute = 1000 * price.hourly / 60
    now = [(each.ago / 60, a_minute / count if count else None) for each, count in zip(moments, rows, strict=True)]
    series = [(say("cost_now", lang), "first", now)]
    answered = service.telemetry.read("batch_rows")
    if answered:
        workers = len(service.telemetry.of_each_worker("pid")) or 1
        seconds = service.telemetry.read("model_us") / 1e6 / answered / workers
        full = 1000 * price.hourly / 3600 * seconds
        series.append((say("cost_full", lang), "second", [(_MINUTES, full), (0.0, full)]))
    words = say("cost_picture", lang, currency=price.currency, price=f"{price.hourly:g}")
    return figure(
        lambda width: draw_minutes(series, width, minutes=_MINUTES, x_name=say("minutes_ago", lang)),
        title=say("cost", lang), description=words, caption=words, wide=_WIDE,
    )  # fmt: skip


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _learning(service: Service, lang: Lang) -> list[Markup]:
    """Return drift, as far as the collectors of `/metrics` know of it, and what the next windows still lack."""
    samples = _samples(service)
    drifts = samples.get("headway_drift_distance", [])
    shown = [_drift(drifts, samples, lang)] if drifts else []
    compared = {_of(sample, "model") for sample in drifts}
    watched = samples.get("headway_drift_watched", [])
    if watched and not drifts:
        shown.append(element("h3", say("drift", lang)))
    return shown + [
        element("p", _say_progress(_of(each, "model"), samples, lang, compared=compared), attributes={"class": "made"})
        for each in watched
    ]


def _drift(drifts: list[Any], samples: Mapping[str, list[Any]], lang: Lang) -> Markup:
    """Return how far each column has moved in the last full window, the largest first."""
    moved = {_where(sample) for sample in samples.get("headway_drift_moved", ()) if sample.value}
    names = {_of(sample, "model") for sample in drifts}
    bars = [
        _bar(sample, lang, has_moved=_where(sample) in moved, of_several=len(names) > 1)
        for sample in sorted(drifts, key=lambda each: (_where(each) not in moved, -each.value))[:_DRIFTS]
    ]
    return figure(
        lambda width: draw_bars(bars, width, top_value=1.0), title=say("drift", lang),
        description=say("drift_words", lang), caption=say("drift_words", lang), wide=_WIDE,
    )  # fmt: skip


def _say_progress(model: str, samples: Mapping[str, list[Any]], lang: Lang, *, compared: Collection[str]) -> str:
    """Return what is still to come before a model is compared with training, the first time or again."""
    lacks, needs = (
        {(_of(each, "window"), _of(each, "target")): int(each.value) for each in samples.get(name, ())
         if _of(each, "model") == model}
        for name in ("headway_drift_lacks", "headway_drift_needs")
    )  # fmt: skip
    if not lacks:
        return say("drift_unwatched", lang, model=model)
    first = next(window for window in lacks if window[0] == "rows")
    key = "drift_next" if model in compared else "drift_first"
    said = say(key, lang, model=model, lacks=f"{lacks[first]:,}", needs=f"{needs[first]:,}")
    told = [window for window in lacks if window[0] == "feedback"]
    if told:
        nearest = min(told, key=lambda window: lacks[window])
        said += say("drift_feedback", lang, lacks=f"{lacks[nearest]:,}", needs=f"{needs[nearest]:,}")
    return said


def _bar(sample: Any, lang: Lang, *, has_moved: bool, of_several: bool) -> Bar:
    """Return the bar of one view: whose where models are `of_several`, which column or target, and what of it."""
    model, column, target, aspect = _where(sample)
    parts = (model if of_several else "", column, target, name_aspect(aspect, lang))
    return Bar(" · ".join(filter(None, parts)), sample.value, f"{sample.value:.1%}", kind="warn" if has_moved else "")


def _where(sample: Any) -> tuple[str, ...]:
    return tuple(_of(sample, name) for name in ("model", "column", "target", "aspect"))


def _of(sample: Any, label: str) -> str:
    return str(sample.labels.get(label, ""))


def _samples(service: Service) -> dict[str, list[Any]]:
    """Return what the further collectors show, by the name of the metric."""
    found: dict[str, list[Any]] = {}
    for collector in service.collectors:
        families = service.observe(lambda collector=collector: list(collector.collect()))  # type: ignore[misc]
        for family in families if isinstance(families, list) else ():
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample)
    return found
