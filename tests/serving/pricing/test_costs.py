import pytest

from headway.errors import InputError
from headway.serving.pricing.costs import Service, cost_per_thousand, work_out_cost


def test_a_thousand_at_full_load():
    assert cost_per_thousand(1000, 3.6) == pytest.approx(0.001)


def test_machines_follow_the_peak():
    month = 730 * 3600
    cost = work_out_cost(Service(100, 1.0, 100 * month, busy=0.5, peak=2.0, fixed=10))
    assert cost.peak_rows == pytest.approx(200)
    assert cost.machines == 4
    assert cost.machines_cost == pytest.approx(4 * 730)
    assert cost.total == pytest.approx(2930)
    assert cost.per_thousand == pytest.approx(2930 / (100 * month) * 1000)
    assert cost.capacity == pytest.approx(100 * month)


def test_impossible_figures_are_all_named():
    with pytest.raises(InputError, match=r"rows per second.*peak.*share of full load|rows per second.*share.*peak"):
        work_out_cost(Service(0, 1.0, 100, busy=2.0, peak=0.5))
