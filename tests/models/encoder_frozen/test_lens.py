import numpy as np
import pytest
import spox

from headway.models.encoder_frozen.lens import FEW, Lens, is_few
from headway.package.constants import Constants
from headway.runtime.session import open_session
from headway.tasks import Classify, Regress

TASK = Classify(("a", "b", "c"))


def test_what_all_texts_share_is_gone():
    x = np.random.default_rng(0).normal(5, 1, (50, 8)).astype(np.float32)
    seen = Lens.of(x)(x)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1, rtol=1e-5)
    assert np.abs(seen.mean(0)).max() < 0.2


def test_the_nodes_see_the_same():
    x = np.random.default_rng(0).normal(5, 1, (7, 8)).astype(np.float32)
    lens = Lens.of(x)
    given = spox.argument(spox.Tensor(np.float32, ("rows", 8)))
    model = Constants().build({"x": given}, {"seen": lens.nodes(given)})
    (seen,) = open_session(model, threads=1).run(["seen"], {"x": x})
    np.testing.assert_allclose(seen, lens(x), atol=1e-6)


@pytest.mark.parametrize(("rows", "few"), [(FEW, True), (FEW + 1, False)])
def test_few_is_told_by_the_usual_label(rows, few):
    y = np.concatenate([np.full(rows, 0), np.full(rows, 1), np.full(5_000, 2)])
    assert is_few(y, TASK) is few


def test_values_are_never_few():
    assert not is_few(np.arange(5.0), Regress())
