from dataclasses import replace

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import save_file

from headway.bases.efficientnet import EfficientNetLite
from headway.bases.opening import open_base
from headway.bases.unpacking.efficientnet import CONFIG
from headway.bases.unpacking.writing import write_json
from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.errors import TrainingError
from headway.models.family import Examples, Support
from headway.models.image_finetune import fitting
from headway.package.opening import open_graph
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe
from tests.models.test_contract import picture

TASK = Classify(("dark", "light"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """EfficientNet-Lite0 with random weights, for images of 32 pixels."""
    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    state = {name: tensor.contiguous() for name, tensor in EfficientNetLite().state_dict().items()}
    save_file(
        {name: tensor for name, tensor in state.items() if tensor.is_floating_point()}, folder / "model.safetensors"
    )
    write_json(folder / "config.json", {**CONFIG, "image_size": 32})
    return open_base(str(folder))


def pictures(rows, seed, base):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, rows)
    frame = pl.DataFrame({"a": [picture(2 * c, generator) for c in y]})
    return Examples(frame, (Column("a", "image"),), y, support=Support(base=base))


def fit(train, valid, **options):
    given = {"settings": None, "seed": 0, "clock": Clock()} | options
    return fitting.fit(train, valid, given.pop("task", TASK), Recipe(epochs=2), **given)


def test_the_last_blocks_learn_and_ship_and_the_others_stay(base):
    train, test = pictures(64, 0, base), pictures(24, 1, base)
    model = fit(train, test)
    answers = model.predict(test.rows)
    np.testing.assert_allclose(open_graph(model.graph()).run(test.rows.to_dict()), answers, atol=1e-4)
    assert (model.settings["cut"], model.settings["views"]) == (11, 4)
    came, tuned = fitting.load_image_encoder(base), model.trained.network.encoder
    changed = [
        name.split(".")[:2]
        for (name, old), new in zip(came.named_parameters(), tuned.parameters(), strict=True)
        if not torch.equal(old, new)
    ]
    assert {int(number) for part, number in changed if part == "blocks"} == {11, 12, 13, 14, 15}
    for (name, old), new in zip(came.named_buffers(), tuned.buffers(), strict=True):
        assert torch.equal(old, new), name


def test_the_head_begins_at_the_solution_of_a_frozen_encoder(base):
    train = pictures(40, 0, base)
    setup = fitting.set_up(train, ("a",), None)
    network = setup.network(TASK, 1, 0.0)
    source = fitting.read(network, setup, fitting.cells_of(train.rows, ("a",)), Clock())
    features = fitting.features_of(network, source)
    head = fitting.initial_head(features, train, None, TASK, Recipe(), settings=None, seed=0, clock=Clock())
    with torch.inference_mode():
        begun = torch.softmax(setup.network(TASK, 1, 0.0, head).head(torch.from_numpy(features)), 1).numpy()
    np.testing.assert_allclose(begun, head.predict(features), atol=1e-3)


def test_values_are_learnt_too(base):
    train = pictures(40, 0, base)
    values = replace(train, y=(1e3 + 10 * train.y).astype(np.float32))
    answers = fit(values, None, task=Regress()).predict(values.rows)
    assert np.abs(answers - values.y).mean() < 10


def test_an_ended_clock_is_an_error_and_so_is_no_base(base):
    with pytest.raises(TrainingError, match="the time ended"):
        fit(pictures(16, 0, base), None, clock=Clock.after(-1))
    with pytest.raises(TrainingError, match="no base model"):
        fit(pictures(16, 0, None), None)
