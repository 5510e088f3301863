import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InputError
from headway.serving.pricing.costs import Service, work_out_cost
from headway.serving.pricing.proposal import find_break_even, propose

SERVICE = Service(300, 0.085, 5e6, fixed=200)


def test_the_margin_is_a_share_of_the_price():
    proposal = propose(SERVICE, margin=0.6)
    assert proposal.profit / proposal.revenue == pytest.approx(0.6)
    assert proposal.break_even == pytest.approx(2e6, rel=0.01)
    assert propose(SERVICE, margin=0.0).profit == pytest.approx(0)


def test_an_asked_price_is_tried():
    proposal = propose(SERVICE, margin=0.6, price=0.01)
    assert proposal.profit < 0
    assert proposal.break_even == pytest.approx(262.05 / 0.01 * 1000, rel=0.01)


def test_a_price_below_the_machines_never_pays():
    assert propose(SERVICE, margin=0.6, price=1e-6).break_even is None


def test_a_rival_is_compared():
    assert propose(SERVICE, margin=0.6, rival=0.5).rival_break_even == pytest.approx(524_100, rel=0.001)


def test_larger_plans_cost_less_each():
    tiers = propose(SERVICE, margin=0.6).tiers
    assert [tier.predictions for tier in tiers] == sorted(tier.predictions for tier in tiers)
    each = [tier.per_thousand for tier in tiers]
    assert each[0] > each[-1]
    assert all(tier.profit > 0 for tier in tiers)


@pytest.mark.parametrize(("margin", "price"), [(1.0, None), (-0.1, None), (0.5, 0.0), (0.5, float("inf"))])
def test_impossible_wishes_are_refused(margin, price):
    with pytest.raises(InputError):
        propose(SERVICE, margin=margin, price=price)


SERVICES = st.builds(
    Service,
    rows_per_second=st.floats(0.1, 1e5),
    machine_price=st.floats(0.001, 100),
    monthly=st.just(1.0),
    busy=st.just(0.6),
    peak=st.floats(1, 20),
    least_machines=st.integers(1, 5),
    fixed=st.floats(0, 1e5),
)


@given(SERVICES, st.floats(1e-5, 100))
def test_break_even_covers_the_cost_and_less_does_not(service, price):
    volume = find_break_even(service, price)
    if volume is None:
        for power in range(0, 13, 2):
            cost = work_out_cost(dataclasses.replace(service, monthly=10.0**power))
            assert cost.total > price * 10.0**power / 1000 * (1 - 1e-9)
        return
    assert work_out_cost(dataclasses.replace(service, monthly=volume)).total <= price * volume / 1000 * (1 + 1e-6)
    below = volume * 0.98
    assert work_out_cost(dataclasses.replace(service, monthly=below)).total > price * below / 1000 * (1 - 1e-9)
