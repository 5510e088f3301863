import numpy as np
import pytest

from headway.compression.quantising.contents import contents_of, is_narrow
from headway.compression.quantising.schemes import (
    DYNAMIC,
    FOUR,
    HALF,
    STATIC,
    TABLES,
    inputs_of,
    schemes_for,
    shrunk,
)
from headway.package.opening import open_graph
from tests.compression.graphs import dense_graph, numbers_frame, table_graph, texts_frame

# The mean difference of a probability, and the largest share of the size, that each scheme may have.
DENSE = {DYNAMIC: (0.01, 0.5), STATIC: (0.02, 0.5), FOUR: (0.06, 0.35), HALF: (0.001, 0.6)}


@pytest.mark.parametrize("scheme", DENSE, ids=lambda scheme: scheme.name)
def test_products_become_smaller_and_answer_nearly_alike(scheme):
    graph, rows = dense_graph(), numbers_frame(200).to_dict()
    smaller = shrunk(graph, scheme, inputs_of(graph, rows))
    expected, found = open_graph(graph).run(rows), open_graph(smaller).run(rows)
    most, share = DENSE[scheme]
    assert 1e-7 < np.abs(found - expected).mean() < most
    assert len(smaller.onnx) < share * len(graph.onnx)


@pytest.mark.parametrize("scheme", [TABLES, HALF], ids=lambda scheme: scheme.name)
def test_sums_of_table_rows_become_smaller_and_answer_nearly_alike(scheme):
    graph, rows = table_graph(), texts_frame(100).to_dict()
    smaller = shrunk(graph, scheme, inputs_of(graph, rows))
    assert np.abs(open_graph(smaller).run(rows) - open_graph(graph).run(rows)).max() < 0.02
    assert len(smaller.onnx) < 0.6 * len(graph.onnx)


def test_static_steps_come_from_the_calibration_rows():
    graph, rows = dense_graph(), numbers_frame(200).to_dict()
    narrow = {name: np.asarray(cells) / 10 for name, cells in rows.items()}
    calibrated = shrunk(graph, STATIC, inputs_of(graph, narrow))
    exact = open_graph(graph).run(rows)
    spoilt = np.abs(open_graph(calibrated).run(rows) - exact).mean()
    right = np.abs(open_graph(shrunk(graph, STATIC, inputs_of(graph, rows))).run(rows) - exact).mean()
    assert spoilt > 3 * right


def test_schemes_follow_what_a_graph_holds():
    assert DYNAMIC in schemes_for(contents_of(dense_graph().onnx))
    found = contents_of(table_graph().onnx)
    assert found.products == 0
    assert found.tables == pytest.approx(2_000 * 5 * 4 / 2**20)


def test_a_graph_in_few_bits_is_known_as_one():
    graph = dense_graph()
    assert not is_narrow(graph.onnx)
    assert is_narrow(shrunk(graph, DYNAMIC, inputs_of(graph, numbers_frame(50).to_dict())).onnx)
