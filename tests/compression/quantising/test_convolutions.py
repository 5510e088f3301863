import logging

import numpy as np

from headway.compression.quantising.contents import contents_of
from headway.compression.quantising.schemes import CONVOLUTIONS, inputs_of, schemes_for, shrunk
from headway.package.opening import open_graph
from tests.compression.graphs import picture_graph, pictures


def test_convolutions_become_smaller_and_answer_nearly_alike():
    graph, rows = picture_graph(), pictures(64)
    smaller = shrunk(graph, CONVOLUTIONS, inputs_of(graph, pictures(64, seed=2)))
    difference = np.abs(open_graph(smaller).run(rows) - open_graph(graph).run(rows))
    assert 1e-7 < difference.mean() < 0.05
    assert len(smaller.onnx) < 0.6 * len(graph.onnx)


def test_graphs_with_convolutions_are_quantised_with_fixed_steps():
    assert schemes_for(contents_of(picture_graph().onnx))[0] == CONVOLUTIONS


def test_onnxruntime_gives_no_advice_on_a_users_terminal(caplog):
    graph = picture_graph()
    shrunk(graph, CONVOLUTIONS, inputs_of(graph, pictures(8, seed=2)))
    assert caplog.records == []
    logging.getLogger().warning("heard")
    assert [record.message for record in caplog.records] == ["heard"]
