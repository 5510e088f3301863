import pytest

from headway.serving.store.reading import read_answered, read_traffic
from headway.serving.store.recorder import Keeping, Recorder


def test_traffic_in_slices(store, served, failed):
    Recorder(store)(
        [
            served(1, at=5.0),
            served(2, at=6.0, seconds=0.008),
            served(3, at=25.0),
            served(3, at=25.0, shadow=True),
            failed(1, at=26.0),
            failed(2, at=26.0, status=422),
            failed(3, at=26.0, shadow=True),
        ]
    )
    slices = read_traffic(store, "reviews", since=0.0, until=30.0, step=10.0)
    assert [(each.at, each.rows, each.failures) for each in slices] == [(0.0, 2, 0), (20.0, 1, 1)]
    assert slices[0].latency_ms == pytest.approx(6.0)


def test_traffic_of_a_sample_is_that_of_all_requests(store, served, failed):
    batch = [served(number, at=5.0) for number in range(400)] + [failed(number, at=5.0) for number in range(400)]
    Recorder(store, Keeping(0.25))(batch)
    (seen,) = read_traffic(store, "reviews", since=0.0, until=10.0, step=10.0)
    assert seen.rows == pytest.approx(400, rel=0.25)
    assert seen.failures == pytest.approx(400, rel=0.25)


def test_the_latest_word_on_the_truth_and_on_the_value_count_each(store, served, told):
    Recorder(store)(
        [served(1, at=1.0), told(1, "差评", at=2.0), told(1, "好评", at=3.0), told(1, None, at=4.0, value=7)]
    )
    Recorder(store)([served(2, at=2.0), told(2, None, at=3.0, value=1.0), told(2, None, at=4.0, value=0.0)])
    first, second = read_answered(store, with_feedback=True)
    assert (first.truth, first.value, first.told) == ("好评", 7.0, 4.0)
    assert (second.truth, second.value) == (None, 0.0)


@pytest.mark.parametrize("masked", [True, False])
def test_a_label_that_looks_like_personal_data_is_still_right(store, served, told, masked):
    Recorder(store, Keeping(mask=masked))([served(1, prediction="E12345678"), told(1, "E12345678")])
    (kept,) = read_answered(store)
    assert kept.right
