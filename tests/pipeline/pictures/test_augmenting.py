"""Drawn pictures in a project that tells classes apart."""

import numpy as np
import pytest

pytest.importorskip("torch")

from headway.errors import ProjectError
from headway.pipeline.events import Remark
from headway.pipeline.pictures import augmenting
from headway.pipeline.pictures.augmenting import Augmented, labels_to_draw, load_augmented
from headway.pipeline.run import run
from headway.project import build
from headway.report.translation import translate
from tests.pipeline.pictures.material import small, write_pictures
from tests.pipeline.projects import table_project

__all__ = ["small"]


def project(folder):
    training = {"epochs": 2, "batch_size": 16}
    return build(
        data="pictures", target="label", folder=folder, name="bars", models=["pixels_linear"], augment="gan",
        budget={"time": 3000}, training=training,
    )  # fmt: skip


@pytest.mark.parametrize("gains", [True, False])
def test_drawn_pictures_are_kept_only_where_they_gain(tmp_path, monkeypatch, gains):
    write_pictures(tmp_path / "pictures", rows=90)
    monkeypatch.setattr(augmenting, "gains_more_than_noise", lambda *_, **__: gains)
    monkeypatch.setattr(augmenting, "only_right", lambda judge, pictures, wanted: (pictures, wanted))
    remarks = []
    done = run(
        project(tmp_path), out=tmp_path / "runs", listen=lambda e: remarks.append(e) if isinstance(e, Remark) else 0
    )
    told = done.result["augmented"]
    assert told["kept"] is gains
    assert told["rows"] > 0
    assert done.result["folds"] == (1 if gains else 5)
    assert len(list((done.folder / "augmented" / "pictures").iterdir())) == told["count"] > 0
    words = "added" if gains else "left them out"
    assert any(words in remark.text and "augment: gan" in remark.text for remark in remarks)
    assert words in done.report.read_text("utf-8")


def test_as_many_are_drawn_as_a_class_has_and_no_fewer_than_usual():
    wanted = np.bincount(labels_to_draw(np.repeat([0, 1, 2], [50, 10, 30]), 3))
    assert wanted.tolist() == [50, 30, 30]


def test_what_came_of_it_is_kept_and_told_in_both_languages(tmp_path):
    kept = Augmented("accuracy", 0.9, 0.95, 1200, 80, (0, 1))
    augmenting.keep(kept, tmp_path / "augmented")
    assert load_augmented(tmp_path / "augmented") == kept
    dropped, failed = Augmented("accuracy", 0.9, 0.9, 12, 80), Augmented("accuracy", 0.9, 0.9, 0, 80, (), "no time")
    for each in (kept, dropped, failed):
        assert translate(str(each), "zh") != str(each)
    assert load_augmented(tmp_path) is None


def test_it_is_refused_where_there_is_nothing_to_draw(tmp_path):
    with pytest.raises(ProjectError, match=r"nothing to draw"):
        run(table_project(tmp_path, augment="gan"), out=tmp_path / "runs")
