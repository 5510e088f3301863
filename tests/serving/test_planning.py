import threading
import time

import pytest

from headway.serving.planning import best_seconds, choose_plan, thread_choices

MB, GB = 1e6, 1e9


def choose(models, **settings):
    """Plan for two cores with models that are told as (seconds of a call, seconds of a row)."""
    asked = []

    def measure(model, rows, processes):
        asked.append((len(rows), processes))
        call, row = model
        return call + row * len(rows)

    best, plans = choose_plan(models, [{"a": 1}], cores=2, measure=measure, **settings)
    return best, plans, asked


def test_cheap_models_get_processes_and_models_that_use_all_cores_stay_alone():
    best, plans, asked = choose({2: (0.0005, 0), 1: (0.0005, 0)}, http_seconds=0.001)
    assert (best.workers, best.threads) == (2, 1)
    assert (len(plans), asked) == (2, [(32, 1), (16, 2)])
    best, _, _ = choose({2: (0, 0.0005), 1: (0, 0.001)}, http_seconds=0.00001)
    assert (best.workers, best.threads) == (1, 2)


def test_a_slow_model_is_asked_for_batches_as_it_gets_them_in_service():
    best, _, asked = choose({2: (0, 0.03), 1: (0, 0.04)}, http_seconds=0.0003, most_rows=3)
    assert asked == [(3, 1), (3, 2)]
    assert (best.workers, best.threads) == (2, 1)


def test_slow_models_are_called_by_all_processes_at_once():
    both = threading.Barrier(2, timeout=60)
    met = []

    class Slow:
        """A model that is slow alone; called by others than the main thread it waits until two are there."""

        def predict(self, rows):
            if threading.current_thread() is threading.main_thread():
                time.sleep(0.25)
            else:
                both.wait()
                met.append(len(rows))

    assert best_seconds(Slow(), [{"a": 1}], 1) >= 0.25
    assert met == []
    best_seconds(Slow(), [{"a": 1}], 2)
    assert set(met) == {1}


@pytest.mark.parametrize(
    ("cores", "workers", "memory", "free", "expected"),
    [
        (2, 0, 100 * MB, 8 * GB, (2, 1)),
        (2, 0, 4 * GB, 4 * GB, (2,)),  # a second process would not fit, so none is tried
        (16, 0, 1 * GB, 10 * GB, (16, 2)),  # eight more fit: nine processes, with two threads each eight
        (16, 0, 1 * GB, 100 * GB, (16, 1)),
        (2, 2, 4 * GB, 0.0, (1,)),  # so many processes were asked for
        (1, 0, 1 * GB, 9 * GB, (1,)),
        (4, 2, 1 * GB, 9 * GB, (2, 1)),
    ],
)
def test_no_more_processes_are_considered_than_the_memory_holds(cores, workers, memory, free, expected):
    assert thread_choices(cores, workers=workers, memory=memory, free=free) == expected
