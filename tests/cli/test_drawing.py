"""`headway generate` with a package that draws."""

import numpy as np
from PIL import Image

from headway.pipeline.sourcing import draws_pictures
from headway.project import read as read_project
from headway.runtime.image_generation import as_grid
from tests.pipeline.pictures.material import write_pictures
from tests.runtime.painters import open_painter, write_painter


def test_a_grid_or_single_files_are_drawn(headway, tmp_path):
    package = write_painter(tmp_path / "package")
    grid = tmp_path / "out" / "grid.png"
    done = headway("generate", package, "--count", "7", "--label", "dog", "--seed", "3", "--out", grid)
    assert done.returncode == 0, done.stderr
    expected = as_grid(open_painter().generate(7, label="dog", seed=3))[:, :, 0]
    assert (np.asarray(Image.open(grid)) == expected).all()
    done = headway("generate", package, "--count", "2", "--out", tmp_path / "each", lang="zh")
    assert sorted(path.name for path in (tmp_path / "each").iterdir()) == ["00001.png", "00002.png"]
    assert "2 张图片" in done.stderr


def test_wrong_wishes_are_refused_in_words(headway, tmp_path):
    package = write_painter(tmp_path / "package")
    done = headway("generate", package, "--label", "dgo")
    assert done.returncode == 1
    assert "did you mean dog" in done.stderr
    done = headway("generate", package, "--prompt", "a dog")
    assert done.returncode == 1
    assert "--label" in done.stderr
    done = headway("generate", package, "--stop", "a", "--max-tokens", "256", "--system", "x", lang="zh")
    assert done.returncode == 1
    assert "--system, --max-tokens, --stop" in done.stderr
    assert "该模型包生成图片，不写文本" in done.stderr
    assert "去掉它" in done.stderr


def test_it_is_shown_and_verified(headway, tmp_path):
    package = write_painter(tmp_path / "package")
    assert headway("package", "verify", package).returncode == 0
    shown = headway("show", package).stdout
    assert "frechet_distance" in shown
    assert "cat, dog, 3" in shown


def test_a_folder_of_nothing_but_pictures_is_drafted_as_drawing(headway, tmp_path):
    write_pictures(tmp_path / "pictures", rows=3, flat=True)
    done = headway("init", "pictures", cwd=tmp_path, lang="zh")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "headway.yaml").read_text("utf-8")
    assert "task: generate" in text
    assert "3 张图片" in text
    assert draws_pictures(read_project(tmp_path / "headway.yaml"))
