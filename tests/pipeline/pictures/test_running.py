"""A whole run that learns to draw, from a folder to a package."""

import json
import re

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from headway.errors import DataError, ProjectError, RunError
from headway.pipeline.checking import check
from headway.pipeline.events import Remark, StageStarted
from headway.pipeline.pictures.growing import ACROSS, GROWING
from headway.pipeline.reopening import reopen
from headway.pipeline.reporting import report_again
from headway.pipeline.run import run
from headway.project import build
from headway.runtime import load_image_generator
from headway.runtime.image_generation import GAP
from tests.pipeline.pictures.material import drawing, small, write_pictures

__all__ = ["small"]


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("bars")
    write_pictures(place / "pictures")
    return place


@pytest.fixture(scope="module")
def done(folder):
    return run(drawing(folder), out=folder / "runs")


def test_the_result_has_distance_and_floor_and_all_figures(done):
    metrics = done.result["metrics"]
    assert done.result["winner"] == "gan"
    assert done.result["metric"] == "frechet_distance"
    assert 0 <= metrics["frechet_floor"] < metrics["frechet_distance"]
    assert {"picture_precision", "picture_recall", "picture_variety", "copied_share", "class_kept"} <= metrics.keys()
    assert done.result["drawing"]["judge"]["by_groups"] is False
    assert len(done.result["drawing"]["looks"]) == 4
    assert json.loads((done.folder / "result.json").read_text("utf-8"))["labels"] == ["bar 0", "bar 1", "bar 2"]
    assert not (done.folder / "scratch").exists()


def test_the_pictures_of_all_looks_stand_in_the_folder(done):
    seen = np.asarray(Image.open(done.folder / GROWING))
    assert seen.shape == (len(done.result["drawing"]["looks"]) * (8 + GAP) - GAP, ACROSS * (8 + GAP) - GAP)


def test_the_package_draws_by_class(done):
    painter = load_image_generator(done.package)
    assert painter.manifest.labels == ("bar 0", "bar 1", "bar 2")
    assert sum(painter.facts.shares) == pytest.approx(1)
    assert painter.generate(4, label="bar 1", seed=0).shape == (4, 8, 8, 1)
    assert painter.manifest.measured["rows_per_second"] > 0
    assert "Frechet" in (done.package / "card.md").read_text("utf-8")


def test_the_report_shows_growing_grids_and_nearest_pictures(done):
    html = done.report.read_text("utf-8")
    assert html.count('class="look"') == 4
    assert html.count('class="pair"') == 12
    assert "Has it copied?" in html
    assert html.count("data:image/png;base64,") == 4 + 1 + 2 * 12
    assert "headway generate package --count 16" in html


def test_the_report_is_written_again_in_chinese(done):
    before = done.report.read_text("utf-8")
    html = report_again(done.folder, lang="zh").read_text("utf-8")
    assert "它如何学会绘画" in html
    assert "判别器损失" in html
    pictures = re.compile(r"data:image/png;base64,[^\"]+")
    assert pictures.findall(html) == pictures.findall(before)


def test_a_run_that_draws_has_no_candidates_to_compress(done):
    with pytest.raises(RunError, match="a run that draws"):
        reopen(done.folder, lang="en")


def test_a_killed_run_goes_on_and_ends_alike(folder, done):
    heard = []

    def die(event):
        heard.extend([event.text] if isinstance(event, Remark) and GROWING in event.text else [])
        if isinstance(event, StageStarted) and event.name == "package":
            raise KilledError

    with pytest.raises(KilledError):
        run(drawing(folder), out=folder / "killed", listen=die)
    assert len(heard) == 1
    (killed,) = (folder / "killed" / "bars").iterdir()
    again = run(resume=killed)
    assert again.result["metrics"] == done.result["metrics"]
    assert again.result["drawing"] == done.result["drawing"]
    labels = ["bar 0", "bar 2"]
    ours, theirs = (load_image_generator(each.package).generate(2, labels=labels, seed=3) for each in (done, again))
    assert (np.asarray(ours) == theirs).all()


def test_what_it_would_cost_is_told_before(folder):
    found = check(drawing(folder))
    assert found.task == "generate"
    assert found.metric == "frechet_distance"
    assert [cost.name for cost in found.costs] == ["gan"]
    assert found.costs[0].fits


def test_pictures_of_one_kind_are_drawn_without_labels(tmp_path):
    write_pictures(tmp_path / "pictures", rows=60, classes=1)
    found = run(drawing(tmp_path), out=tmp_path / "runs")
    assert found.result["labels"] == []
    assert found.result["drawing"]["judge"]["by_groups"] is True
    assert "class_kept" not in found.result["metrics"]
    assert load_image_generator(found.package).generate(2, seed=0).shape == (2, 8, 8, 1)
    assert "groups of alike pictures" in found.report.read_text("utf-8")


def test_one_picture_and_few_are_refused_in_words(tmp_path):
    write_pictures(tmp_path / "pictures", rows=1, flat=True)
    with pytest.raises(DataError, match=r"(?s)too few pictures.*at least 40.*1 that can be read"):
        run(drawing(tmp_path), out=tmp_path / "runs")
    with pytest.raises(DataError, match="too few pictures"):
        check(build(data="pictures/000.png", task="generate", folder=tmp_path))


def test_the_same_picture_many_times_is_one(tmp_path):
    source = write_pictures(tmp_path / "pictures", rows=1, flat=True) / "000.png"
    for number in range(1, 60):
        (tmp_path / "pictures" / f"{number:03d}.png").write_bytes(source.read_bytes())
    with pytest.raises(DataError, match=r"(?s)after cleaning.*too few pictures"):
        check(drawing(tmp_path))


def test_wishes_that_pictures_have_no_use_for_are_named(tmp_path):
    with pytest.raises(ProjectError, match="drawn from noise and its class"):
        build(data="a.csv", task="generate", inputs={"photo": "image", "note": "text"}, folder=tmp_path)
    with pytest.raises(ProjectError, match="augment has no meaning"):
        build(data="pictures", task="generate", augment="gan", folder=tmp_path)
