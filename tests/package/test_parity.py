import numpy as np
import pytest

from headway.errors import ParityError
from headway.package.combining import side_by_side
from headway.package.opening import open_graph
from headway.package.parity import check_parity
from tests.runtime.graphs import number_graph, value_graph

COLUMNS = {"a": np.linspace(-3, 3, 50), "b": np.zeros(50)}


def test_a_faithful_graph_passes():
    expected = open_graph(number_graph()).run(COLUMNS)
    check_parity(number_graph(), COLUMNS, expected + 5e-5)
    check_parity(value_graph(), COLUMNS, 2 * COLUMNS["a"])


def test_other_probabilities_are_counted():
    expected = open_graph(number_graph()).run(COLUMNS)
    expected[7] += 0.01
    with pytest.raises(ParityError, match=r"0 of 50 decisions changed, 1 rows away(.|\n)*0\.01"):
        check_parity(number_graph(), COLUMNS, expected)


def test_other_decisions_are_counted():
    with pytest.raises(ParityError, match="50 of 50 decisions changed"):
        check_parity(number_graph(), COLUMNS, open_graph(number_graph()).run(COLUMNS)[:, ::-1])


def test_ties_are_not_changed_decisions():
    columns = {"a": [1e-5], "b": [0]}
    check_parity(number_graph(), columns, np.array([[0.5, 0.5]]))
    check_parity(number_graph(), columns, np.array([[0.50004, 0.49996]]))


def test_values_are_compared_in_units_of_their_spread():
    wanted = 2e6 * COLUMNS["a"]
    check_parity(value_graph(slope=2e6), COLUMNS, wanted + 1)
    with pytest.raises(ParityError, match="50 of 50 rows"):
        check_parity(value_graph(slope=2e6), COLUMNS, wanted + 1e4)


def test_shapes_and_numbers_that_are_not_finite_are_refused():
    with pytest.raises(ParityError, match="shape"):
        check_parity(number_graph(), COLUMNS, np.zeros((50, 3)))
    with pytest.raises(ParityError, match="not finite"):
        check_parity(value_graph(), {"a": [None, 1]}, np.array([0, 2]))


def test_every_target_is_judged_for_itself():
    graph = side_by_side({"side": number_graph(name="pair"), "far": value_graph(slope=1000)}, {"side": 2, "far": 1})
    expected = open_graph(graph).run(COLUMNS)
    check_parity(graph, COLUMNS, expected + np.array([0, 0, 1e-2]))
    with pytest.raises(ParityError, match="1 rows away"):
        check_parity(graph, COLUMNS, expected + np.eye(50, 3) * np.array([1e-2, 0, 0]))
    with pytest.raises(ParityError, match="values within"):
        check_parity(graph, COLUMNS, expected + np.array([0, 0, 1]))
