"""A base whose graph would fail is found before anything is trained on it."""

import numpy as np
import polars as pl
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from headway.data.dataset import Column  # noqa: E402 - after the skip
from headway.encoders import proving  # noqa: E402
from headway.encoders.opening import open_encoder  # noqa: E402
from headway.encoders.proving import check_export  # noqa: E402
from headway.errors import TrainingError  # noqa: E402
from headway.models.encoder_finetune import fitting as finetuning  # noqa: E402
from headway.models.family import Examples, Support  # noqa: E402
from headway.tasks import Classify  # noqa: E402
from headway.tasks.recipe import Recipe  # noqa: E402
from tests.encoders.tiny import sentences, tiny_base  # noqa: E402


@pytest.fixture
def untraceable(monkeypatch):
    """Make MPNet go two ways, by what the ids are: nothing that is traced can."""
    forward = transformers.MPNetModel.forward

    def branching(self, input_ids=None, **named):
        if int(input_ids.sum()) % 2:
            return forward(self, input_ids=input_ids, **named)
        return forward(self, input_ids=input_ids, **named)

    monkeypatch.setattr(transformers.MPNetModel, "forward", branching)


def test_a_base_that_is_traced_passes(tmp_path):
    base = tiny_base(tmp_path / "base", "mpnet", seed=31)
    check_export(open_encoder(base), base)


def test_a_base_that_cannot_be_traced_is_turned_away_in_the_estimate_and_once(tmp_path, untraceable, monkeypatch):
    base = tiny_base(tmp_path / "base", "mpnet", seed=32)
    rows = pl.DataFrame({"text": sentences(40)})
    train = Examples(rows, (Column("text", "text"),), np.arange(40) % 2, support=Support(base=base))
    with pytest.raises(TrainingError, match="the base tiny-mpnet cannot be packed once it has learnt") as caught:
        finetuning.estimate(train, Classify(("a", "b")), Recipe(), seed=0)
    assert "torch.onnx can trace" in str(caught.value)
    monkeypatch.setattr(proving, "base_model", lambda *_: pytest.fail("traced again"))
    with pytest.raises(TrainingError, match="cannot be packed"):
        check_export(open_encoder(base), base)


def test_a_graph_that_answers_otherwise_is_found(tmp_path):
    base = tiny_base(tmp_path / "base", "mpnet", seed=33)
    encoder = open_encoder(base)
    with torch.no_grad():
        encoder.backbone.get_input_embeddings().weight.add_(torch.arange(32.0))  # not what lies in the folder
    with pytest.raises(TrainingError, match=r"the graph answers otherwise, [\d.]+ away"):
        check_export(encoder, base)


def test_graphs_that_are_made_here_are_not_in_question(tmp_path, monkeypatch):
    monkeypatch.setattr(proving, "base_model", lambda *_: pytest.fail("traced"))
    base = tiny_base(tmp_path / "base", "bert", seed=34)
    check_export(open_encoder(base), base)
