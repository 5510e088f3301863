import pytest

from headway.compression.quantising.schemes import DYNAMIC, FOUR, HALF, inputs_of, shrunk
from headway.compression.quantising.trained import quantise_trained
from headway.compute.clock import Clock
from tests.compression.graphs import dense_graph, numbers_frame, subject_of, table_graph, texts_frame


@pytest.mark.parametrize(("passed", "scheme"), [(True, FOUR), (False, HALF)])
def test_what_passes_is_tried_in_fewer_bits_and_what_loses_too_much_in_more(passed, scheme):
    whole, graduate = dense_graph(noise=0.02), dense_graph(noise=0.01)
    subject = subject_of(dense_graph(), numbers_frame(600), shipped=dense_graph(noise=0.03))
    trained = []

    def graduated(_):
        trained.append(graduate)
        return graduate

    made = quantise_trained("a third", "pruned", whole, graduated, subject)
    following = made.following(passed)
    assert following.name == f"a third, {scheme.name}"
    assert following.kind == "pruned"
    other = following.make(Clock())
    for each, wanted in ((made, DYNAMIC), (other, scheme)):
        assert each.graph.onnx == shrunk(whole, wanted, inputs_of(whole, subject.calibration)).onnx
        assert each.ship(Clock()).onnx == shrunk(graduate, wanted, inputs_of(graduate, subject.calibration)).onnx
    assert len(trained) == 1
    assert other.following(passed) is None


@pytest.mark.parametrize("passed", [True, False])
def test_nothing_follows_where_nothing_is_large(passed):
    subject, graph = subject_of(table_graph(), texts_frame(60)), table_graph()
    made = quantise_trained("student", "distilled", graph, lambda _: graph, subject)
    assert made.graph is graph
    assert made.following(passed) is None
