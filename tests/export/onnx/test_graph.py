import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from headway.export import export
from headway.export.packed import open_packed
from headway.runtime import load


@pytest.fixture(
    scope="module", params=["table_package", "image_package", "token_package", "value_package", "several_package"]
)
def exported(request, tmp_path_factory):
    package = request.getfixturevalue(request.param)
    return package, export(package, "onnx", out=tmp_path_factory.mktemp("plain") / "out").folder


def test_the_graph_is_the_packages_own(exported):
    package, folder = exported
    assert (folder / "model.onnx").read_bytes() == (package / "model.onnx").read_bytes()


def test_the_example_call_runs_alone(exported, tmp_path):
    _, folder = exported
    copy = shutil.copytree(folder, tmp_path / "elsewhere")
    done = subprocess.run(
        [sys.executable, "-I", str(copy / "example.py")], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("probabilities", "values"))


def test_the_example_call_notices_another_answer(exported, tmp_path):
    _, folder = exported
    copy = shutil.copytree(folder, tmp_path / "elsewhere")
    example = json.loads((copy / "example.json").read_text(encoding="utf-8"))
    *_, output = example["outputs"].values()
    output["data"][0] += 0.5
    (copy / "example.json").write_text(json.dumps(example), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(copy / "example.py")], capture_output=True, check=False)
    assert done.returncode != 0


def test_the_example_is_answered_as_the_runtime_does(exported):
    package, folder = exported
    example = json.loads((folder / "example.json").read_text(encoding="utf-8"))
    prediction = load(package).predict([example["row"]])[0]
    answers = list(prediction.targets.values()) or [prediction]
    for output, answer in zip(example["outputs"].values(), answers, strict=True):
        wanted = list(answer.probabilities.values()) if answer.probabilities else [answer.prediction]
        np.testing.assert_allclose(output["data"], wanted, atol=1e-6)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_note_names_every_input_and_label(exported, name):
    package, folder = exported
    note = (folder / name).read_text(encoding="utf-8")
    model = open_packed(package).model
    for node in [*model.predictor.session.get_inputs(), *model.predictor.session.get_outputs()]:
        assert f"`{node.name}`" in note
    for label in (label for part in model.manifest.parts for label in part.labels):
        assert f"`{label}`" in note
