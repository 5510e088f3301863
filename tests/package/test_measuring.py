import io
from datetime import UTC, datetime

import numpy as np
import pytest
import spox
import spox.opset.ai.onnx.v21 as op
from PIL import Image

from headway.errors import InputError, PackageError
from headway.package.measuring import measure
from headway.runtime.manifest import DateFeed, ImageFeed
from tests.package.test_writing import COLUMNS, write
from tests.runtime.graphs import built, number_graph, text_graph


def test_a_graph_and_its_package_cost_the_same(tmp_path):
    graph, package = measure(number_graph(), COLUMNS), measure(write(tmp_path / "p"), COLUMNS)
    for measured in (graph, package):
        assert 0 < measured.latency_p50_ms <= measured.latency_p95_ms < 50
        assert measured.rows_per_second > 1000
        assert 20 < measured.memory_mb < 400
    assert graph.size_mb == pytest.approx(len(number_graph().onnx) / 2**20, abs=1e-4)
    assert set(graph.figures()) >= {"latency_p50_ms", "latency_p95_ms", "rows_per_second", "size_mb", "memory_mb"}


def test_a_large_model_needs_more_memory():
    words = {"review": ["good", None, "bad"]}
    small, large = (measure(text_graph(labels), words).memory_mb for labels in (2, 2000))
    assert large > small + 4096 * 2000 * 4 / 2**20 * 0.8


def test_dates_and_images_reach_the_fresh_process():
    dates = spox.argument(spox.Tensor(np.float64, ("rows", 1)))
    pixels = spox.argument(spox.Tensor(np.uint8, ("rows", 2, 2, 1)))
    mean = op.reduce_mean(op.cast(pixels, to=np.float32), op.const(np.array([1, 2])), keepdims=0)
    feeds = (DateFeed("dates", ("when",)), ImageFeed("i", ("photo",), 2, 2, "L"))
    graph = built({"dates": dates, "i": pixels}, op.add(mean, op.cast(dates, to=np.float32)), feeds, out="values")
    picture, buffer = np.zeros((2, 2), np.uint8), io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    columns = {
        "when": [moment, None, "2024-01-01", np.datetime64("2024-01-01")],
        "photo": [picture, Image.fromarray(picture), None, buffer.getvalue()],
    }
    assert measure(graph, columns).memory_mb > 20


def test_without_memory_no_process_is_started():
    assert np.isnan(measure(number_graph(), COLUMNS, memory=False).memory_mb)


def test_rows_are_needed_and_must_fit():
    with pytest.raises(PackageError, match="without rows"):
        measure(number_graph(), {"a": [], "b": []})
    with pytest.raises(InputError, match="missing"):
        measure(number_graph(), {"a": [1]})
