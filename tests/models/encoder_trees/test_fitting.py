from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.models.encoder_frozen.heads import Vectors
from headway.models.encoder_frozen.reading import Eyes
from headway.models.encoder_trees.fitting import fit
from headway.models.encoder_trees.starting import Lesson, start_from
from headway.models.family import Examples, Support, discover
from headway.package.opening import open_graph
from headway.tasks import Classify
from headway.tasks.recipe import Recipe
from tests.encoders.tiny import tiny_base

TASK = Classify(("no", "yes"))


@pytest.fixture(scope="module")
def support(tmp_path_factory):
    return Support(base=tiny_base(tmp_path_factory.mktemp("base") / "bert"))


def rooms(rows, seed, support):
    """Half of the answer lies in a word, half in a number."""
    generator = np.random.default_rng(seed)
    word, size = generator.integers(0, 2, rows), generator.normal(size=rows)
    y = ((word == 1) & (size > 0)).astype(np.int64)
    frame = pl.DataFrame({"note": np.where(word == 1, "lovely room", "awful room"), "size": size})
    return Examples(frame, (Column("note", "text"), Column("size", "number")), y, support=support)


def test_trees_go_on_from_what_the_text_says(support):
    model = fit(rooms(300, 0, support), None, TASK, Recipe(), settings=None, seed=0, clock=Clock())
    new = rooms(200, 1, support)
    answers = model.predict(new.rows)
    assert ((answers[:, 1] > 0.5) == new.y).mean() > 0.9
    assert {"penalty", "precision", "rounds"} <= set(model.settings)
    shipped = open_graph(model.graph()).run({name: new.rows[name] for name in new.rows.columns})
    np.testing.assert_allclose(shipped, answers, atol=1e-4)


def test_what_a_head_says_of_its_own_rows_is_out_of_fold(support):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(60, 200)).astype(np.float32)
    y = generator.integers(0, 2, 60)
    lesson = Lesson(Vectors(x, y, np.ones(60)), y, TASK, Recipe(), None, 0)
    eyes = Eyes(support.base, "float32", (), None)
    start, own, _ = start_from(lesson, eyes, penalty=1e-4, clock=Clock())
    by_heart = ((start.outputs(x)[:, 0] > 0) == y).mean()
    assert by_heart > 0.95
    assert ((own[:, 0] > 0) == y).mean() < 0.75
    assert own.shape == (60, 1)


def test_it_takes_part_beside_texts_and_in_plain_tables_where_it_is_named():
    card = discover().cards["encoder_trees"]
    assert card.takes_part(frozenset({"text", "number"}))
    assert not card.takes_part(frozenset({"number", "category"}))
    assert card.takes_part(frozenset({"number", "category"}), asked_for=True)
    assert not card.takes_part(frozenset({"text"}), asked_for=True)


def test_a_table_without_texts_can_be_read_by_a_frozen_encoder_too(support):
    from headway.models.encoder_frozen.fitting import fit as fit_frozen

    train = rooms(90, 0, support)
    rows = train.rows.select("size", kind=pl.col("note").str.head(5))
    plain = replace(train, rows=rows, inputs=(Column("size", "number"), Column("kind", "category")))
    model = fit_frozen(plain, None, TASK, Recipe(), settings=None, seed=0, clock=Clock())
    graph = model.graph()
    assert [feed.kind for feed in graph.feeds] == ["row"]
    shipped = open_graph(graph).run({name: rows[name] for name in rows.columns})
    np.testing.assert_allclose(shipped, model.predict(rows), atol=1e-4)
