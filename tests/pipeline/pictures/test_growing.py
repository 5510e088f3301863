"""Tests of the picture that grows while a run learns to draw."""

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from headway.pipeline.pictures.growing import ACROSS, GROWING, keep_growing
from headway.report.translation import translate
from headway.runtime.image_generation import GAP


def pictures(seed, colours=3):
    return np.random.default_rng(seed).integers(0, 255, (50, 6, 4, colours), np.uint8)


def rows_of(folder):
    paper = np.asarray(Image.open(folder / GROWING))
    assert paper.shape[1] == ACROSS * (4 + GAP) - GAP
    return [paper[top : top + 6] for top in range(0, len(paper), 6 + GAP)]


@pytest.mark.parametrize("colours", [1, 3])
def test_each_look_adds_a_row_and_the_first_is_told(tmp_path, colours):
    heard = []
    add = keep_growing(tmp_path, heard.append)
    assert heard == []
    for seed in range(3):
        add(pictures(seed, colours))
        row = rows_of(tmp_path)[seed]
        assert (row[:, :4] == pictures(seed, colours)[0].squeeze()).all()
        assert (row[:, -4:] == pictures(seed, colours)[39].squeeze()).all()
    assert len(rows_of(tmp_path)) == 3
    assert len(heard) == 1
    assert translate(heard[0], "zh").startswith("运行文件夹中的 growing.png")


def test_a_resumed_run_goes_on_below_and_repeats_nothing(tmp_path):
    add = keep_growing(tmp_path, lambda _words: None)
    for seed in range(3):
        add(pictures(seed))
    again = keep_growing(tmp_path, lambda _words: None)
    for seed in (2, 3):
        again(pictures(seed))
    found = rows_of(tmp_path)
    assert len(found) == 4
    for seed, row in enumerate(found):
        assert (row[:, :4] == pictures(seed)[0]).all()


def test_a_folder_that_cannot_be_written_to_stops_nothing(tmp_path):
    add = keep_growing(tmp_path / "gone", lambda _words: None)
    add(pictures(0))
    assert not (tmp_path / "gone").exists()
