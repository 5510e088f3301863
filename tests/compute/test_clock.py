from headway.compute.clock import Clock


def test_a_clock_without_a_deadline_never_expires():
    assert Clock().left() == float("inf")
    assert not Clock().expired


def test_a_clock_runs_out():
    assert Clock.after(-1).expired
    assert Clock.after(-1).left() == 0.0
    assert 0 < Clock.after(100).left() <= 100
