"""What a pretrained model bought: gain beside cost, and the rows that only it got right."""

from __future__ import annotations

from headway.data.dataset import ROW
from headway.report.cells import show_cells
from headway.report.content import Bought, ReportContent
from headway.report.figures import (
    write_megabytes,
    write_metric,
    write_milliseconds,
    write_seconds,
    write_value,
)
from headway.report.markup import Markup, element, join, table
from headway.report.translation import Lang, name_metric
from headway.report.words import Say, speak
from headway.runtime.manifest import Label
from headway.training.outcome import Outcome


def show_bought(bought: Bought, content: ReportContent, lang: Lang) -> Markup:
    """Return the best candidate with a base beside the best without, what each costs, and examples."""
    say = speak(lang)
    return join(
        [
            element("p", _verdict(bought, lang, say)),
            _compare(bought, content, lang, say),
            _rank(bought, content, lang, say),
            _show_rows(bought, content, say),
        ]
    )


def _verdict(bought: Bought, lang: Lang, say: Say) -> str:
    metric = bought.metric
    words = {
        "metric": name_metric(metric, lang),
        "without": write_metric(metric, bought.values[0]),
        "with_base": write_metric(metric, bought.values[1]),
        "low": write_metric(metric, bought.interval[0]),
        "high": write_metric(metric, bought.interval[1]),
        "rows": f"{bought.rows:,}",
    }
    outcome = {bought.with_base: "gains", bought.without: "loses", None: "even"}[bought.better]
    return say(f"bought_{outcome}", **words)


def _compare(bought: Bought, content: ReportContent, lang: Lang, say: Say) -> Markup:
    """Return a table of the two: score and what it costs to train and to serve, and how many times as much."""
    found = {outcome.name: outcome for outcome in content.outcomes}
    pair = (found[bought.without], found[bought.with_base])
    rows = [_line(outcome, bought, say) for outcome in pair]
    costs = [[_costs(outcome)[place] for outcome in pair] for place in range(4)]
    rows.append((say("bought_times"), "", *(_times(*cost) for cost in costs)))
    head = (say("candidate"), name_metric(bought.metric, lang), say("fit_time"), say("latency_p50"), say("size"),
            say("memory"))  # fmt: skip
    return table(head, rows, numbers=range(1, 6))


def _line(outcome: Outcome, bought: Bought, say: Say) -> tuple[object, ...]:
    label = say("bought_with" if outcome.name == bought.with_base else "bought_without", name=outcome.name)
    return (
        label,
        write_metric(bought.metric, outcome.metrics[bought.metric]),
        write_seconds(outcome.fit_seconds, say),
        write_milliseconds(outcome.latency_p50_ms),
        write_megabytes(outcome.size_mb),
        write_megabytes(outcome.memory_mb),
    )


def _costs(outcome: Outcome) -> tuple[float | None, ...]:
    return outcome.fit_seconds, outcome.latency_p50_ms, outcome.size_mb, outcome.memory_mb


def _times(without: float | None, with_base: float | None) -> str:
    return "" if not without or with_base is None else f"× {with_base / without:,.1f}"


def _rank(bought: Bought, content: ReportContent, lang: Lang, say: Say) -> Markup | None:
    """Return the leaderboard as it is and as it would be without the pretrained model, by their places in both."""
    if not bought.standings:
        return None
    found = {outcome.name: outcome for outcome in content.outcomes}
    rows: list[tuple[object, ...]] = []
    left = 0
    for place, (name, on_base) in enumerate(bought.standings, start=1):
        left += not on_base
        outcome = found[name]
        label = element("strong", name) if name in (bought.with_base, bought.without) else name
        score = write_metric(bought.metric, outcome.metrics[bought.metric])
        cost = (write_seconds(outcome.fit_seconds, say), write_milliseconds(outcome.latency_p50_ms))
        rows.append((label, score, str(place), "–" if on_base else str(left), *cost))
    head = (say("candidate"), name_metric(bought.metric, lang), say("bought_place_with"), say("bought_place_without"),
            say("fit_time"), say("latency_p50"))  # fmt: skip
    mixed = None
    if bought.mixed_without is not None:
        mixed = element("p", say("bought_mixed", score=write_metric(bought.metric, bought.mixed_without)))
    return join([element("h3", say("bought_places")), table(head, rows, numbers=range(1, 6)), mixed])


def _show_rows(bought: Bought, content: ReportContent, say: Say) -> Markup | None:
    if not bought.examples:
        return None
    classify = content.task == "classify"
    counts = element("p", say("bought_only", small=f"{bought.only[0]:,}", large=f"{bought.only[1]:,}"))
    rows = [
        (
            str(each.cells.get(ROW, "")),
            show_cells(each.cells, content.inputs, content.folder),
            *(_write(answer, classify=classify) for answer in (each.actual, each.with_base, each.without)),
        )
        for each in bought.examples
    ]
    head = [say("row"), say("examples"), say("actual"), bought.with_base, bought.without]
    title = say("bought_rows" if classify else "bought_closer")
    numbers = (0,) if classify else (0, 2, 3, 4)
    return join([element("h3", title), counts if classify else None, table(head, rows, numbers=numbers, kind="loose")])


def _write(answer: Label, *, classify: bool) -> str:
    return str(answer) if classify or isinstance(answer, str) else write_value(float(answer))
