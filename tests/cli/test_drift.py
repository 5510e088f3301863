import json
import shutil

import numpy as np
import pytest

from headway.errors import InputError, PackageError
from headway.evaluation.drift import reference_to_json
from headway.evaluation.drift.building import TargetAnswers, build_reference
from headway.package.writing import digests
from headway.runtime import load
from headway.runtime.archive import MANIFEST, REFERENCE
from headway.runtime.manifest_json import to_json


@pytest.fixture(scope="module")
def watched(run_folder, tmp_path_factory):
    """The tiny model's package with a reference of normal numbers; it answers whether a + b is above 0."""
    package = tmp_path_factory.mktemp("watched") / "package"
    shutil.copytree(run_folder / "package", package)
    model = load(package)
    random = np.random.default_rng(0)
    rows = {name: random.normal(0, 1, 800).tolist() for name in ("a", "b")}
    answers = model.predict_columns(rows)
    said = answers.predictions.tolist()
    reference = build_reference(
        rows, {"a": "number", "b": "number"}, seed=0,
        answers={"": TargetAnswers("classify", said, answers.confidence.tolist(), said)},
    )  # fmt: skip
    (package / REFERENCE).write_bytes(reference_to_json(reference))
    from dataclasses import replace

    files = {path.name: path.read_bytes() for path in package.iterdir() if path.name != MANIFEST}
    (package / MANIFEST).write_text(to_json(replace(model.manifest, files=digests(files))), encoding="utf-8")
    return package


def write(path, mean, *, flip=False):
    random = np.random.default_rng(1)
    a, b = random.normal(mean, 1, 300), random.normal(0, 1, 300)
    right = np.where((a + b > 0) != (flip & (random.random(300) < 0.3)), "好评", "差评")
    path.write_text("a,b,标签\n" + "\n".join(f"{x:.4f},{y:.4f},{z}" for x, y, z in zip(a, b, right, strict=True)))
    return path


def test_other_rows_are_told(command, watched, tmp_path):
    rows = write(tmp_path / "moved.csv", 2.0, flip=True)
    english = command("drift", watched, rows)
    assert "300 rows differ from training" in english
    assert "! numbers of a" in english
    assert "! mistakes" in english
    assert "  numbers of b" in english
    assert "与训练数据不同" in command("drift", watched, rows, "--lang", "zh")
    assert json.loads(command("drift", watched, rows, "--json"))["alarms"] >= 3


def test_the_same_rows_are_not(command, watched, tmp_path):
    assert "no drift in 300 rows" in command("drift", watched, write(tmp_path / "usual.csv", 0.0))


def test_too_few_rows_are_told(command, watched, tmp_path):
    (tmp_path / "few.csv").write_text("a,b\n" + "0.1,0.2\n" * 20)
    assert "20 rows are too few" in command("drift", watched, tmp_path / "few.csv")
    assert "20 行太少" in command("drift", watched, tmp_path / "few.csv", "--lang", "zh")
    assert json.loads(command("drift", watched, tmp_path / "few.csv", "--json"))["views"] == []


def test_a_missing_column_is_told_beside_those_of_the_file(command, watched, tmp_path):
    (tmp_path / "other.csv").write_text("a,c\n" + "0.1,0.2\n" * 40)
    with pytest.raises(InputError) as caught:
        command("drift", watched, tmp_path / "other.csv")
    assert "'c'" in str(caught.value)
    assert "__" not in str(caught.value)


def test_what_cannot_be_is_refused(command, watched, run_folder, tmp_path):
    rows = write(tmp_path / "usual.csv", 0.0)
    with pytest.raises(PackageError, match="no training reference"):
        command("drift", run_folder, rows)
    with pytest.raises(InputError, match="no rate of false alarms"):
        command("drift", watched, rows, "--false-alarms", "200%")
