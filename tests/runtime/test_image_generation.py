from dataclasses import replace

import numpy as np
import pytest

from headway.errors import InputError, PackageError
from headway.package.measuring import measure_drawing
from headway.runtime import load, load_generator, load_image_generator
from headway.runtime.archive import MODEL
from headway.runtime.image_generation import as_grid, as_image, assemble_image_generator
from headway.runtime.manifest import Generation
from headway.runtime.manifest_json import from_json, to_json
from headway.runtime.verifying import verify
from tests.runtime.painters import FACTS, OF_ONE_KIND, PAINTER, open_painter, painter_graph, write_painter


@pytest.fixture(scope="module")
def painter():
    return open_painter()


def brightness(pictures):
    return pictures[:, 2, 0, 0].tolist()


def test_pictures_have_their_size_and_the_label_asked_for(painter):
    pictures = painter.generate(3, label="dog", seed=1)
    assert pictures.shape == (3, 6, 5, 1)
    assert pictures.dtype == np.uint8
    assert brightness(pictures) == [80, 80, 80]
    assert brightness(painter.generate(3, labels=["cat", "3", 3], seed=1)) == [20, 140, 140]
    assert brightness(painter.generate(1, label="CAT")) == [20]


def test_a_seed_draws_the_same_picture_however_many_are_asked_for(painter):
    many = painter.generate(70, seed=5)
    assert (painter.generate(3, seed=5) == many[:3]).all()
    assert len({picture.tobytes() for picture in many}) > 40
    assert (painter.generate(8, seed=6) != many[:8]).any()
    assert (painter.generate(8) != painter.generate(8)).any()


def test_without_a_label_they_are_as_frequent_as_in_training(painter):
    found = np.array(brightness(painter.generate(400, seed=0)))
    shares = [(found == value).mean() for value in (20, 80, 140)]
    assert shares == pytest.approx(FACTS.shares, abs=0.08)


def test_wishes_that_cannot_be_are_named(painter):
    with pytest.raises(InputError, match="did you mean dog"):
        painter.generate(1, label="dgo")
    with pytest.raises(InputError, match="1 or more"):
        painter.generate(0)
    with pytest.raises(InputError, match="0 or more"):
        painter.generate(1, seed=-1)
    with pytest.raises(InputError, match="2 labels"):
        painter.generate(2, labels=["cat"])
    with pytest.raises(InputError, match="pictures of one kind"):
        open_painter(OF_ONE_KIND).generate(1, label="cat")


def test_a_package_of_one_kind_draws_without_a_label():
    assert open_painter(OF_ONE_KIND).generate(2, seed=0).shape == (2, 6, 5, 1)


def test_a_package_is_written_read_and_verified(tmp_path, painter):
    write_painter(tmp_path / "package")
    for path in (tmp_path / "package", tmp_path / "painter.headway"):
        found = load_image_generator(path, threads=1)
        assert (found.generate(4, seed=2) == painter.generate(4, seed=2)).all()
        assert verify(path).image_generation == FACTS
    with pytest.raises(PackageError, match="generates and predicts nothing"):
        load(tmp_path / "package")
    with pytest.raises(PackageError, match="writes no text"):
        load_generator(tmp_path / "package")


def test_a_changed_byte_is_refused(tmp_path):
    model = write_painter(tmp_path / "package") / MODEL
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    with pytest.raises(PackageError, match="was changed"):
        load_image_generator(tmp_path / "package")


def test_a_manifest_survives_json_and_contradictions_are_listed():
    assert from_json(to_json(PAINTER)) == PAINTER
    wrong = {
        "shares": replace(PAINTER, image_generation=replace(FACTS, shares=(0.5, 0.5))),
        "sum to 1": replace(PAINTER, image_generation=replace(FACTS, shares=(0.5, 0.3, 0.5))),
        "pixels": replace(PAINTER, image_generation=replace(FACTS, width=0)),
        "numbers": replace(PAINTER, image_generation=replace(FACTS, noise=0)),
        "both writes": replace(PAINTER, generation=Generation(8, (0,))),
        "there is a generation": replace(PAINTER, task="classify"),
    }
    for words, manifest in wrong.items():
        with pytest.raises(PackageError, match=words):
            to_json(manifest)


def test_a_graph_that_draws_no_such_pictures_is_refused():
    with pytest.raises(PackageError, match="draws no pictures"):
        assemble_image_generator(PAINTER, {MODEL: painter_graph(labelled=False)})
    larger = replace(PAINTER, image_generation=replace(FACTS, width=7))
    with pytest.raises(PackageError, match="wrong shape"):
        assemble_image_generator(larger, {MODEL: painter_graph()})


def test_a_grid_lays_pictures_side_by_side():
    pictures = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((5, 4, 3, 1), np.uint8)
    grid = as_grid(pictures, 3)
    assert grid.shape == (2 * 4 + 2, 3 * 3 + 2 * 2, 1)
    assert grid[0, 5, 0] == 1
    assert grid[6, 0, 0] == 3
    assert grid[6, -1, 0] == 255
    assert as_grid(pictures).shape[1] == grid.shape[1]
    assert as_image(grid).size == (13, 10)


def test_what_drawing_costs_is_measured():
    found = measure_drawing(painter_graph(), PAINTER)
    assert 0 < found.latency_p50_ms <= found.latency_p95_ms
    assert found.rows_per_second > 0
    assert found.memory_mb > 10
