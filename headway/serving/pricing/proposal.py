"""Prices to ask and the volumes from which they pay."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from headway.errors import InputError
from headway.serving.pricing.costs import Cost, Service, work_out_cost


@dataclass(frozen=True)
class Tier:
    """A monthly plan: so many predictions for so much, and what is left of it after their cost at the whole traffic."""

    predictions: float
    price: float
    per_thousand: float
    profit: float


@dataclass(frozen=True)
class Proposal:
    """What to ask for.

    `price` per 1,000 predictions at the expected traffic; `break_even`: predictions a month from which that price
    covers the machines and the fixed costs (None: never, whatever the volume); `rival` is another price per 1,000 (an
    API's) and `rival_break_even` the volume from which this service is the cheaper one (None: never).
    """

    service: Service
    cost: Cost
    margin: float
    price: float
    revenue: float
    profit: float
    break_even: float | None
    tiers: tuple[Tier, ...]
    rival: float | None = None
    rival_break_even: float | None = None


def propose(service: Service, *, margin: float, price: float | None = None, rival: float | None = None) -> Proposal:
    """Return prices for a wanted margin (the share of the price that is profit), or the outcome of a given `price`.

    Raises `InputError` for figures that cannot be.
    """
    if not 0 <= margin < 1:
        raise InputError("the margin is the share of the price that stays", expected="0% to 99%", got=f"{margin:.0%}")
    for name, value in (("the price", price), ("the other price", rival)):
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise InputError(f"{name} cannot be", expected="more than 0 per 1,000 predictions", got=f"{value:g}")
    cost = work_out_cost(service)
    asked = cost.per_thousand / (1 - margin) if price is None else price
    revenue = asked * service.monthly / 1000
    return Proposal(
        service=service,
        cost=cost,
        margin=margin,
        price=asked,
        revenue=revenue,
        profit=revenue - cost.total,
        break_even=find_break_even(service, asked),
        tiers=tuple(_tier(service, share, asked, cost.per_thousand) for share in (0.1, 0.5, 1.0, 2.0, 10.0)),
        rival=rival,
        rival_break_even=None if rival is None else find_break_even(service, rival),
    )


def find_break_even(service: Service, price: float) -> float | None:
    """Return the least predictions a month at which `price` per 1,000 covers the whole cost; None where none does.

    The cost is a staircase: it rises by a machine each time the peak needs one more. On each step the volume that
    covers it is cost / price; the first step that reaches so far is the answer.
    """
    one = dataclasses.replace(service, monthly=1.0)
    cost = work_out_cost(one)
    a_machine = cost.machines_cost / cost.machines
    capacity = cost.capacity / cost.machines
    if price / 1000 * capacity > a_machine:
        # From here on every further machine earns more than it costs, so the search ends.
        machines = service.least_machines
        while True:
            needed = (machines * a_machine + service.fixed) / price * 1000
            if needed <= machines * capacity * (1 + 1e-12):
                return needed
            # Skip steps that cannot hold it.
            machines = max(machines + 1, math.floor(needed / capacity))
    needed = (service.least_machines * a_machine + service.fixed) / price * 1000
    return needed if needed <= service.least_machines * capacity else None


def _tier(service: Service, share: float, price: float, unit_cost: float) -> Tier:
    """Return a plan around the expected volume; larger ones cost less for each prediction, at most a third less."""
    predictions = _round_volume(service.monthly * share)
    per_thousand = price * min(1.5, max(2 / 3, math.pow(predictions / service.monthly, -0.12)))
    asked = _round_price(per_thousand * predictions / 1000)
    return Tier(predictions, asked, asked / predictions * 1000, asked - unit_cost * predictions / 1000)


def _round_volume(volume: float) -> float:
    """Return a volume with one or two leading digits, as plans have."""
    power = math.pow(10, math.floor(math.log10(volume)))
    return max(
        1.0, float(min((1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10), key=lambda each: abs(volume / power - each)) * power)
    )


def _round_price(price: float) -> float:
    """Return a price rounded up to two digits, so that rounding never eats the margin."""
    power = math.pow(10, math.floor(math.log10(price)) - 1)
    return math.ceil(price / power - 1e-9) * power
