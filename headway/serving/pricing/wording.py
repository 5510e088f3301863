"""A proposal in words, with its arithmetic, English and Chinese."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from headway.serving.pricing.costs import HOURS_A_MONTH
from headway.serving.pricing.proposal import Proposal

Language = Literal["en", "zh"]


def tell_proposal(proposal: Proposal, *, currency: str, source: str, language: Language) -> list[str]:
    """Return the lines to show; every result stands at the end of the sum that gives it."""
    return [*_costs(proposal, currency, source, language), "", *_prices(proposal, currency, language)]


def _costs(proposal: Proposal, currency: str, source: str, language: Language) -> Iterator[str]:
    service, cost = proposal.service, proposal.cost
    rate, price = f"{service.rows_per_second:,.0f}", f"{currency}{service.machine_price:,.4g}"
    full = f"{price} / ({rate} x 3,600) x 1,000 = {money(cost.per_thousand_full, currency)}"
    peak = f"{service.monthly:,.0f} / ({HOURS_A_MONTH:g} x 3,600) x {service.peak:g} = {cost.peak_rows:,.4g}"
    needed = f"{cost.peak_rows:,.4g} / ({rate} x {service.busy:.0%})"
    machines = f"{cost.machines} x {price} x {HOURS_A_MONTH:g} = {money(cost.machines_cost, currency)}"
    total = f"{money(cost.machines_cost, currency)} + {money(service.fixed, currency)} = {money(cost.total, currency)}"
    each = f"{money(cost.total, currency)} / {service.monthly:,.0f} x 1,000 = {money(cost.per_thousand, currency)}"
    if language == "zh":
        yield f"速度：每秒 {rate} 行（{source}）"
        yield f"满负荷时每千次预测的成本：{full}"
        yield f"高峰每秒行数：{peak}"
        yield f"所需机器：{needed}，至少 {service.least_machines} 台 → {cost.machines} 台"
        yield f"每月机器费用：{machines}"
        yield f"每月总成本：{total}"
        yield f"每千次预测的实际成本：{each}"
    else:
        yield f"speed: {rate} rows/s ({source})"
        yield f"cost of 1,000 predictions at full load: {full}"
        yield f"rows a second at the peak: {peak}"
        yield f"machines: {needed}, at least {service.least_machines} -> {cost.machines}"
        yield f"machines a month: {machines}"
        yield f"all costs a month: {total}"
        yield f"cost of 1,000 predictions at this traffic: {each}"


def _prices(proposal: Proposal, currency: str, language: Language) -> Iterator[str]:
    zh = language == "zh"
    cost, price, share = (
        money(proposal.cost.per_thousand, currency),
        money(proposal.price, currency),
        f"{proposal.margin:.0%}",
    )
    asked = abs(proposal.price - proposal.cost.per_thousand / (1 - proposal.margin)) > 1e-12 * proposal.price
    how = "" if asked else f"{cost} / (1 - {share}) = "
    yield f"{'每千次预测的价格' if zh else 'price of 1,000 predictions'}{'：' if zh else ': '}{how}{price}"
    sums = f"{money(proposal.revenue, currency)} - {money(proposal.cost.total, currency)}"
    yield f"{'每月利润：' if zh else 'profit a month: '}{sums} = {money(proposal.profit, currency)}"
    yield _break_even(proposal.break_even, price, language)
    if proposal.rival is not None:
        yield _rival(proposal, money(proposal.rival, currency), language)
    yield ""
    yield "套餐（每月）：" if zh else "plans (a month):"
    for tier in proposal.tiers:
        unit, profit = money(tier.per_thousand, currency), money(tier.profit, currency)
        plan = f"  {tier.predictions:>14,.0f}  {money(tier.price, currency):>12}"
        yield f"{plan}  每千次 {unit}，利润 {profit}" if zh else f"{plan}  {unit} per 1,000, profit {profit}"


def _break_even(volume: float | None, price: str, language: Language) -> str:
    if language == "zh":
        return (
            f"保本量：任何业务量都不足以在 {price} 下保本" if volume is None else f"保本量：每月 {volume:,.0f} 次预测起"
        )
    return f"break-even: never at {price}" if volume is None else f"break-even: from {volume:,.0f} predictions a month"


def _rival(proposal: Proposal, rival: str, language: Language) -> str:
    volume = proposal.rival_break_even
    if language == "zh":
        return (
            f"相比每千次 {rival}：在任何业务量下都不更便宜"
            if volume is None
            else f"相比每千次 {rival}：每月 {volume:,.0f} 次起自建更便宜"
        )
    return (
        f"beside {rival} per 1,000: never cheaper"
        if volume is None
        else f"beside {rival} per 1,000: cheaper from {volume:,.0f} predictions a month"
    )


def money(amount: float, currency: str) -> str:
    """Return an amount as people write it: two digits behind the point, three that count where it is small."""
    sign, amount = ("-" if amount < 0 else ""), abs(amount)
    digits = 2 - math.floor(math.log10(amount)) if 0 < amount < 1 else 2
    text = f"{amount:,.{min(digits, 12)}f}"
    return f"{sign}{currency}{text}"
