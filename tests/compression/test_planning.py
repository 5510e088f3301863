import pytest

from headway.compression.planning import METHODS, plan_variants
from tests.compression.graphs import dense_graph, numbers_frame, subject_of


@pytest.mark.parametrize("method", METHODS)
def test_each_method_offers_its_own_kind(method, monkeypatch):
    monkeypatch.setattr("headway.compression.pruning.variants.WORTH", 0.01)
    subject = subject_of(dense_graph(), numbers_frame(60))
    kinds = {"quantise": "quantised", "prune": "pruned", "distil": "distilled"}
    found = plan_variants(subject, methods=(method,), winner="forest")
    assert {variant.kind for variant in found} == {kinds[method]}


def test_what_is_cheap_to_make_comes_first():
    found = plan_variants(subject_of(dense_graph(), numbers_frame(60)), methods=METHODS, winner="ensemble")
    kinds = [variant.kind for variant in found]
    assert set(kinds) == {"quantised", "distilled"}
    assert kinds == sorted(kinds, reverse=True)
    assert found[0].name == "int8"
