from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headway.data.dataset import Column
from headway.models.encoder_finetune import estimating
from headway.models.encoder_finetune.choosing import Speed
from headway.models.encoder_finetune.estimating import estimate_upper
from headway.models.family import Examples, Support
from tests.encoders.tiny import sentences, tiny_base


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    base = tiny_base(tmp_path_factory.mktemp("base") / "bert")
    rows = pl.DataFrame({"text": sentences(60)})
    return Examples(rows, (Column("text", "text"),), np.zeros(60, np.int64), support=Support(base=base))


@pytest.fixture(autouse=True)
def _steady(monkeypatch):
    monkeypatch.setattr(estimating.choosing, "measure", lambda _: Speed(forward=1e-3, training=3e-3))


def seconds(train, **changes):
    return estimate_upper(train, **{"epochs": 2, "layers": 1 / 2, "valid": 0.0, "seed": 0, **changes}).seconds


def test_more_epochs_layers_and_validation_cost_more(train):
    plain = seconds(train)
    assert plain > 0
    assert seconds(train, epochs=4) > 1.5 * plain
    assert seconds(train, layers=1.0) > plain
    assert seconds(train, valid=0.5) > plain


def test_a_row_to_answer_takes_its_tokens_forwards(train):
    short = replace(train, rows=pl.DataFrame({"text": ["a"] * 60}))
    rows = [estimate_upper(each, epochs=2, layers=1 / 2, valid=0.0, seed=0).row_seconds for each in (short, train)]
    assert 0 < rows[0] < rows[1]
    assert rows[0] == pytest.approx(1e-3 * round(rows[0] / 1e-3))
