"""From measured speed and the machine's price to the cost of a prediction."""

from __future__ import annotations

import math
from dataclasses import dataclass

from headway.errors import InputError

HOURS_A_MONTH = 730.0


@dataclass(frozen=True)
class Service:
    """What is known of a service; money in one currency, months of 730 hours.

    `rows_per_second`: what one machine answers at full load, measured; `machine_price` an hour; `monthly` predictions;
    `busy`: the share of full load that a machine is given, the rest is for bursts; `peak`: how many times the average
    the busiest traffic is; `least_machines`: 2 where one may fail; `fixed` costs a month (people, storage) that traffic
    does not change.
    """

    rows_per_second: float
    machine_price: float
    monthly: float
    busy: float = 0.6
    peak: float = 3.0
    least_machines: int = 1
    fixed: float = 0.0


@dataclass(frozen=True)
class Cost:
    """What the traffic of a month costs.

    `per_thousand_full`: at full load of one machine, the least there is. `peak_rows`: rows a second at the peak.
    `machines` for that peak; `machines_cost` and `total` (with fixed costs) a month; `per_thousand`: all of it over all
    predictions; `capacity`: predictions a month these machines could answer with the same peak.
    """

    per_thousand_full: float
    peak_rows: float
    machines: int
    machines_cost: float
    total: float
    per_thousand: float
    capacity: float


def cost_per_thousand(rows_per_second: float, machine_price: float) -> float:
    """Return what 1,000 predictions cost on a machine at full load: price an hour over thousands an hour."""
    return machine_price / (rows_per_second * 3600) * 1000


def work_out_cost(service: Service) -> Cost:
    """Return the cost of a month; raises `InputError` for figures that cannot be."""
    check_service(service)
    average = service.monthly / (HOURS_A_MONTH * 3600)
    usable = service.rows_per_second * service.busy
    peak_rows = average * service.peak
    machines = max(service.least_machines, math.ceil(peak_rows / usable - 1e-9))
    machines_cost = machines * service.machine_price * HOURS_A_MONTH
    total = machines_cost + service.fixed
    return Cost(
        per_thousand_full=cost_per_thousand(service.rows_per_second, service.machine_price),
        peak_rows=peak_rows,
        machines=machines,
        machines_cost=machines_cost,
        total=total,
        per_thousand=total / service.monthly * 1000,
        capacity=machines * usable / service.peak * HOURS_A_MONTH * 3600,
    )


def check_service(service: Service) -> None:
    """Raise `InputError` that names every figure that cannot be."""
    wrong = [
        f"{name} is {value:g}, expected {expected}"
        for name, value, good, expected in (
            ("rows per second", service.rows_per_second, service.rows_per_second > 0, "more than 0"),
            ("the machine's price", service.machine_price, service.machine_price >= 0, "0 or more"),
            ("predictions a month", service.monthly, service.monthly > 0, "more than 0"),
            ("the share of full load", service.busy, 0 < service.busy <= 1, "more than 0, at most 1"),
            ("the peak", service.peak, service.peak >= 1, "1 or more"),
            ("machines", service.least_machines, service.least_machines >= 1, "1 or more"),
            ("fixed costs", service.fixed, service.fixed >= 0, "0 or more"),
        )
        if not (good and math.isfinite(value))
    ]
    if wrong:
        raise InputError("these figures make no price", got="; ".join(wrong))
