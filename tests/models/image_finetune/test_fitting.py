import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file

from headway.bases.efficientnet import EfficientNetLite
from headway.bases.opening import open_base
from headway.bases.unpacking.efficientnet import CONFIG
from headway.bases.unpacking.writing import write_json
from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.errors import TrainingError
from headway.models.family import Examples, Support
from headway.models.image_finetune import answering, fitting
from headway.networks.device import limited
from headway.package.opening import open_graph
from headway.tasks import Classify, Regress
from headway.tasks.recipe import Recipe
from tests.dying import dying_after, let_die
from tests.models.test_contract import picture

TASK = Classify(("dark", "light"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return random_base(tmp_path_factory.mktemp("base"))


def random_base(folder):
    """EfficientNet-Lite0 with random weights, for images of 32 pixels, of which features tell."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    network = EfficientNetLite().train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():  # norms that know the scale of what comes: or nothing of an image would come through
        network(torch.randn(64, 3, 32, 32) + 2 * torch.randn(64, 1, 1, 1))
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
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


def turned(rows):
    """Return pictures with left and right exchanged."""
    cells = []
    for cell in rows["a"]:
        stream = io.BytesIO()
        ImageOps.mirror(Image.open(io.BytesIO(cell))).save(stream, "PNG")
        cells.append(stream.getvalue())
    return pl.DataFrame({"a": cells})


@pytest.mark.parametrize("cut", [fitting.FIRST_TUNED, fitting.WHOLE])
def test_mirror_images_ship_as_they_are_answered(base, cut):
    train, test = pictures(24, 0, base), pictures(8, 1, base)
    settings = {"epochs": 1, "cut": cut, "views": 1, "penalty": 0.1}
    both, plain = (fit(train, None, settings={**settings, "mirrored": side}) for side in (True, False))
    answers = both.predict(test.rows)
    assert np.abs(answers - plain.predict(test.rows)).max() > 1e-6
    np.testing.assert_allclose(both.predict(turned(test.rows)), answers, atol=1e-5)
    np.testing.assert_allclose(open_graph(both.graph()).run(test.rows.to_dict()), answers, atol=1e-4)
    assert (both.settings["mirrored"], plain.settings["mirrored"]) == (True, False)


@pytest.mark.parametrize(("latency", "helps", "chosen"), [(1e9, True, True), (1e9, False, False), (1e-6, True, False)])
def test_mirror_images_are_read_too_where_they_help_and_the_latency_allows(base, monkeypatch, latency, helps, chosen):
    monkeypatch.setattr(answering, "is_better", lambda *_: helps)
    train, valid = (
        replace(part, support=Support(base=base, latency_ms=latency))
        for part in (pictures(32, 0, base), pictures(8, 1, base))
    )
    assert fit(train, valid).settings["mirrored"] == chosen


def killable(folder, scratch, fatal=0):
    """Fit on one thread until the checkpoint numbered `fatal`; return the answers and how many there were.

    Several threads add in another order, and the head over these random features makes much of the last bits.
    """
    base = open_base(str(folder)) if folder.exists() else random_base(folder)
    train, valid = (
        replace(pictures(rows, seed, base), support=Support(base=base, scratch=scratch))
        for seed, rows in enumerate((72, 24))
    )
    with limited(1), dying_after(fatal) as seen:
        model = fit(train, valid)
    return model.predict(valid.rows), seen[0]


# Killed in the first epoch, and in the second; an epoch has three steps.
@pytest.mark.slow
@pytest.mark.parametrize("fatal", [2, 4])
def test_killed_while_fine_tuning_it_goes_on_to_the_same_model(tmp_path, fatal):
    let_die("tests.models.image_finetune.test_fitting", tmp_path / "base", tmp_path / "scratch", fatal)
    assert list((tmp_path / "scratch").glob("*/checkpoint.pt"))
    again, steps = killable(tmp_path / "base", tmp_path / "scratch")
    undisturbed, all_steps = killable(tmp_path / "base", tmp_path / "other")
    assert (steps, all_steps) == (6 - fatal, 6)
    np.testing.assert_allclose(again, undisturbed, atol=1e-6)


if __name__ == "__main__":
    killable(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
