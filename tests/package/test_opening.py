import numpy as np
import pytest

from headway.errors import PackageError
from headway.package.graph import Graph
from headway.package.opening import open_graph
from headway.runtime.manifest import NumberFeed
from tests.runtime.graphs import number_graph


def test_a_graph_in_memory_answers():
    answers = open_graph(number_graph()).run({"a": [1, None], "b": [0, 0]})
    np.testing.assert_allclose(answers[:, 1], [1 / (1 + np.exp(-1)), 0.5], rtol=1e-6)


def test_feeds_that_are_not_the_graph_s_inputs_are_refused():
    graph = number_graph()
    with pytest.raises(PackageError, match="other tensor"):
        open_graph(Graph(graph.onnx, (NumberFeed("other", ("a", "b")),)))
