import time

from headway.serving.rates import SIZE, Rates
from headway.serving.shared_memory import make_board_file, open_board


def test_so_many_requests_pass_and_then_one_must_wait(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    rates = Rates.alone()
    assert [rates.wait(0, "3/s") for _ in range(3)] == [0, 0, 0]
    assert 0 < rates.wait(0, "3/s") <= 1
    assert rates.wait(1, "3/s") == 0
    now[0] += 2
    assert rates.wait(0, "3/s") == 0


def test_the_last_window_counts_by_the_share_that_reaches_into_this_one(monkeypatch):
    now = [1000.9]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    rates = Rates.alone()
    assert not any(rates.wait(0, "10/s") for _ in range(10))
    now[0] = 1001.1
    passed = sum(rates.wait(0, "10/s") == 0 for _ in range(10))
    assert passed in {1, 2}


def test_all_workers_count_together(tmp_path):
    path = make_board_file(2, SIZE, tmp_path)
    first, second = (Rates(open_board(path, workers=2, size=SIZE, index=index)) for index in (0, 1))
    passed = sum((first, second)[i % 2].wait(0, "10/h") == 0 for i in range(30))
    assert passed == 10
