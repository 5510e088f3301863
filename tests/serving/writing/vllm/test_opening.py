"""Tests of what a package asks of a GPU."""

import signal

from headway.serving.writing.vllm.opening import _end_worker, plan_memory, weight_count
from tests.decoders.tiny import weights_of
from tests.runtime.generation.packages import CONFIG

GB = 2**30


def test_weights_are_counted():
    assert weight_count(CONFIG) == sum(array.size for array in weights_of(CONFIG).values())


def test_the_cache_holds_all_texts_where_there_is_room():
    token = 2 * 2 * CONFIG.layers * CONFIG.key_value_heads * CONFIG.head_width
    one, beside = token * 152, GB + 2 * weight_count(CONFIG)
    memory = plan_memory(CONFIG, window=120, free=8 * GB, total=16 * GB)
    assert memory.cache == 64 * one
    assert memory.share == (beside + memory.cache) / (16 * GB)
    assert plan_memory(CONFIG, window=120, free=beside + 10 * one, total=16 * GB).cache == 8 * one
    full = plan_memory(CONFIG, window=120, free=0, total=GB)
    assert (full.cache, full.share) == (one, 1.0)  # vLLM says that it does not fit


def test_a_broken_engine_ends_its_worker_politely():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        _end_worker()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
