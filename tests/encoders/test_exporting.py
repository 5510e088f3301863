"""What is traced finds the same vectors as the encoder it was traced from."""

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch")

from headway.encoders.exporting import traced_model  # noqa: E402 - after the skip
from headway.encoders.opening import open_encoder  # noqa: E402
from tests.encoders.tiny import tiny_base  # noqa: E402


@pytest.mark.parametrize("kind", ["bert", "mpnet", "modernbert"])
def test_a_traced_encoder_reads_ids_and_mask(tmp_path, kind):
    encoder = open_encoder(tiny_base(tmp_path / "base", kind))
    ids, mask = np.random.default_rng(0).integers(2, 20, (5, 11)), np.ones((5, 11), np.int64)
    mask[0, 6:] = 0
    with torch.no_grad():
        wanted = encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    session = onnxruntime.InferenceSession(traced_model(encoder), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"ids": ids, "mask": mask})
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert np.abs(found - found[0]).max() > 0.01
