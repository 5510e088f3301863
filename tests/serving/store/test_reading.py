import pytest

from headway.serving.store.reading import read_traffic
from headway.serving.store.recorder import Recorder


def test_traffic_in_slices(store, served, failed):
    Recorder(store)(
        [
            served(1, at=5.0),
            served(2, at=6.0, seconds=0.008),
            served(3, at=25.0),
            served(3, at=25.0, shadow=True),
            failed(1, at=26.0),
            failed(2, at=26.0, status=422),
        ]
    )
    slices = read_traffic(store, "reviews", since=0.0, until=30.0, step=10.0)
    assert [(each.at, each.rows, each.failures) for each in slices] == [(0.0, 2, 0), (20.0, 1, 1)]
    assert slices[0].latency_ms == pytest.approx(6.0)
