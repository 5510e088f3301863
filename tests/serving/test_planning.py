import pytest

from headway.serving.planning import choose_plan, thread_choices

MB, GB = 1e6, 1e9


def choose(models, **settings):
    """Plan for two cores with models that are told as (seconds of a call, seconds of a row)."""
    asked = []

    def measure(model, rows):
        asked.append(len(rows))
        call, row = model
        return call + row * len(rows)

    row_seconds = sum(models[max(models)])
    best, plans = choose_plan(models, [{"a": 1}], cores=2, row_seconds=row_seconds, measure=measure, **settings)
    return best, plans, asked


def test_cheap_models_get_processes_and_models_that_use_all_cores_stay_alone():
    best, plans, asked = choose({2: (0.0005, 0), 1: (0.0005, 0)}, http_seconds=0.001)
    assert (best.workers, best.threads) == (2, 1)
    assert (len(plans), asked) == (2, [32, 16])
    best, _, _ = choose({2: (0, 0.0005), 1: (0, 0.001)}, http_seconds=0.00001)
    assert (best.workers, best.threads) == (1, 2)


def test_a_slow_model_is_asked_for_few_rows_at_a_time():
    best, _, asked = choose({2: (0, 0.03), 1: (0, 0.04)}, http_seconds=0.0003)
    assert asked == [3, 3]
    assert (best.workers, best.threads) == (2, 1)
    assert choose({2: (0, 4.0), 1: (0, 8.0)}, http_seconds=0.0003)[2] == [1, 1]


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
