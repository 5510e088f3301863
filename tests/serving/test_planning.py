import time

from headway.serving.planning import choose_plan


class Timed:
    """A model that takes a fixed time for a call and for each row."""

    def __init__(self, call, row):
        self.call, self.row = call, row

    def predict(self, rows):
        time.sleep(self.call + self.row * len(rows))


def test_cheap_models_get_processes_and_models_that_use_all_cores_stay_alone():
    cheap = {2: Timed(0.0005, 0), 1: Timed(0.0005, 0)}
    best, plans = choose_plan(cheap, [{"a": 1}], http_seconds=0.001, cores=2)
    assert (best.workers, best.threads) == (2, 1)
    assert len(plans) == 2
    scaling = {2: Timed(0, 0.0005), 1: Timed(0, 0.001)}
    best, _ = choose_plan(scaling, [{"a": 1}], http_seconds=0.00001, cores=2)
    assert (best.workers, best.threads) == (1, 2)
