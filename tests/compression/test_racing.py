import math

from headway.compression.quantising.schemes import HALF, shrunk
from headway.compression.racing import race
from tests.compression.graphs import dense_graph, numbers_frame


def test_all_models_are_measured_on_the_same_rows():
    graph = dense_graph()
    first, second = race([graph, shrunk(graph, HALF, {})], numbers_frame(20).to_dict())
    assert second.size_mb < 0.6 * first.size_mb
    for found in (first, second):
        assert 0 < found.latency_p50_ms <= found.latency_p95_ms
        assert found.rows_per_second > 0
        assert math.isnan(found.memory_mb)
