"""Every family that is found keeps the promises of `headway.models.family`, for every task it claims."""

import io
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.errors import TrainingError
from headway.models.family import Examples, Support, discover
from headway.package.opening import open_graph
from headway.tasks import Classify, Part, Regress, Several
from headway.tasks.recipe import Recipe

CARDS = discover().cards
# Families that write have a contract of their own: test_writing_contract.py.
CLAIMS = [(name, kind) for name, card in CARDS.items() for kind in sorted(card.tasks) if kind != "generate"]
LABELS = Classify(("bad", "fair", "good"))
SEVERAL = Several((Part("mood", LABELS, "accuracy"), Part("price", Regress(), "r2"), Part("loud", LABELS, "f1_macro")))
TASKS = {"classify": LABELS, "regress": Regress(), "several": SEVERAL}
ROWS, SEED = 120, 3
MODALITIES = ("text", "number", "category", "date", "image")
WORDS = (("awful", "dirty", "旧"), ("plain", "usual", "一般"), ("lovely", "clean", "舒适"))


def examples(kind, modalities, rows=ROWS, seed=0):
    """Rows whose every column tells something of the target, and some of whose cells are missing."""
    generator = np.random.default_rng(seed)
    classes = generator.integers(0, 3, rows)
    cells = {
        "text": [f"the room was {WORDS[c][generator.integers(3)]} {generator.integers(99)}" for c in classes],
        "number": [float(v) for v in classes + generator.normal(0, 0.3, rows)],
        "category": [("red", "green", "blue")[c] for c in classes],
        "date": [(np.datetime64("2024-01-01") + int(30 * c + generator.integers(20))).item() for c in classes],
        "image": [picture(c, generator) for c in classes],
    }
    types = {"text": pl.String, "number": pl.Float64, "category": pl.String, "date": pl.Datetime, "image": pl.Binary}
    frame = pl.DataFrame(
        [
            pl.Series(f"a {name}", cells[name]).cast(types[name]).set(holes(generator, rows), None)
            if name != "image"
            else pl.Series(f"a {name}", cells[name], dtype=types[name])
            for name in MODALITIES
            if name in modalities
        ]
    )
    inputs = tuple(Column(f"a {name}", name) for name in MODALITIES if name in modalities)
    values = (classes + generator.normal(0, 0.1, rows)).astype(np.float32)
    y = {"classify": classes, "regress": values, "several": several_of(classes, values, generator)}[kind]
    return Examples(frame, inputs, y)


def several_of(classes, values, generator):
    """Three targets, each of which some rows lack."""
    y = np.stack([classes, values, (classes + 1) % 3], axis=1).astype(np.float32)
    y[generator.random(y.shape) < (0.1, 0.2, 0.5)] = np.nan
    y[np.isnan(y).all(axis=1), 0] = 1
    return y


def holes(generator, rows):
    return pl.Series(generator.random(rows) < 0.05)


def picture(brightness, generator):
    pixels = np.clip(40 + 70 * brightness + generator.normal(0, 9, (16, 16, 3)), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def quick(card):
    """A recipe that keeps a network's training short."""
    return Recipe(epochs=3) if "epochs" in card.honours and card.extra == "deep" else Recipe()


@cache
def tiny_text_encoder():
    """A random encoder, made once."""
    from tests.encoders.tiny import tiny_base

    return tiny_base(Path(tempfile.mkdtemp(prefix="headway-tiny-")))


@cache
def tiny_image_encoder():
    """A random encoder of images, made once."""
    from tests.encoders.tiny_images import tiny_image_base

    return tiny_image_base(Path(tempfile.mkdtemp(prefix="headway-tiny-")))


def support_of(card):
    """What a family may lean on: the kind of base that its card asks for, and rows without a target."""
    made = {"text_encoder": tiny_text_encoder, "image_encoder": tiny_image_encoder}
    rows = examples("classify", card.modalities, seed=9).rows if card.unlabelled else None
    return Support(base=None if card.base is None else made[card.base](), unlabelled=rows)


def fitted(name, kind, **options):
    card = CARDS[name]
    family = discover().load_for(name, TASKS[kind])
    train = replace(options.pop("train", None) or examples(kind, card.modalities), support=support_of(card))
    given = {"valid": examples(kind, card.modalities, 60, 1), "settings": None, "seed": SEED, "clock": Clock()}
    return family.fit(train, task=TASKS[kind], recipe=quick(card), **(given | options))


@pytest.fixture(scope="module", params=CLAIMS, ids=lambda claim: f"{claim[0]}-{claim[1]}")
def trained(request):
    """Return a family's name, the kind of task, and a model fitted with a validation part."""
    name, kind = request.param
    if CARDS[name].missing() is not None:
        pytest.skip(f"{name} needs {CARDS[name].missing()}")
    return name, kind, fitted(name, kind)


def fresh(name, kind, rows=50):
    return examples(kind, CARDS[name].modalities, rows, 2)


def test_there_are_families():
    assert "ngram_linear" in CARDS


def test_a_card_is_complete():
    for name, card in CARDS.items():
        assert card.name == name
        assert card.summary
        assert card.modalities <= {*MODALITIES, "audio"}
        assert card.tasks <= {*TASKS, "generate"}
        assert card.requires <= card.modalities
        assert card.honours <= set(Recipe.__dataclass_fields__)
        assert card.extra is None or card.needs


def test_answers_are_probabilities_or_finite_values(trained):
    name, kind, model = trained
    answers = model.predict(fresh(name, kind).rows)
    assert answers.dtype == np.float32
    assert np.isfinite(answers).all()
    assert answers.shape == {"classify": (50, 3), "regress": (50,), "several": (50, 7)}[kind]
    spans = {"classify": [slice(3)], "regress": [], "several": [slice(3), slice(4, None)]}[kind]
    for probabilities in (answers[:, span] for span in spans):
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-4)


def test_the_graph_answers_like_the_model(trained):
    name, kind, model = trained
    rows = fresh(name, kind).rows
    shipped = open_graph(model.graph()).run({column: rows[column] for column in rows.columns})
    wanted = model.predict(rows).reshape(50, -1)
    scale = max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(shipped, wanted, atol=1e-4 * scale)


def test_missing_cells_and_unseen_values_get_finite_answers(trained):
    name, kind, model = trained
    rows = fresh(name, kind, 6).rows
    odd = rows.with_columns(
        *[pl.lit(None, dtype=rows[c].dtype).alias(c) for c in rows.columns if not c.endswith("image")]
    )
    unseen = rows.with_columns(
        *[pl.lit("絶対に unseen 🦄 " * 3).alias(c) for c in rows.columns if rows[c].dtype == pl.String],
        *[pl.lit(1e12).alias(c) for c in rows.columns if rows[c].dtype == pl.Float64],
    )
    predictor = open_graph(model.graph())
    for strange in (odd, unseen):
        direct = model.predict(strange)
        assert np.isfinite(direct).all()
        shipped = predictor.run({column: strange[column] for column in strange.columns})
        scale = max(1.0, float(np.abs(direct).max()))
        np.testing.assert_allclose(shipped, direct.reshape(6, -1), atol=1e-4 * scale)


def test_one_row_is_answered_as_in_a_batch(trained):
    name, kind, model = trained
    rows = fresh(name, kind, 5).rows
    together = model.predict(rows)
    alone = np.concatenate([model.predict(rows[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_the_same_seed_gives_the_same_model(trained):
    name, kind, model = trained
    rows = fresh(name, kind).rows
    np.testing.assert_array_equal(fitted(name, kind).predict(rows), model.predict(rows))


def test_settings_replay_without_a_validation_part(trained):
    name, kind, model = trained
    again = fitted(name, kind, valid=None, settings=model.settings)
    answers = again.predict(fresh(name, kind).rows)
    assert np.isfinite(answers).all()
    assert dict(again.settings) == dict(model.settings)


def test_no_settings_and_no_validation_part_do_too(trained):
    name, kind, _ = trained
    assert np.isfinite(fitted(name, kind, valid=None).predict(fresh(name, kind).rows)).all()


def test_row_weights_count(trained):
    name, kind, _ = trained
    train = examples(kind, CARDS[name].modalities)
    weighted = Examples(train.rows, train.inputs, train.y, np.linspace(0.1, 2, ROWS).astype(np.float32))
    assert np.isfinite(fitted(name, kind, train=weighted).predict(fresh(name, kind).rows)).all()


def test_a_label_without_training_rows_is_survived(trained):
    name, kind, _ = trained
    train = examples(kind, CARDS[name].modalities)
    if kind == "classify":
        train = train.take(np.flatnonzero(train.y != 1))
    if kind == "several":
        train = train.take(np.flatnonzero(train.y[:, 0] != 1))
    answers = fitted(name, kind, train=train).predict(fresh(name, kind).rows)
    assert np.isfinite(answers).all()


def test_an_expired_clock_ends_training_at_once(trained):
    name, kind, _ = trained
    try:
        model = fitted(name, kind, clock=Clock.after(-1))
    except TrainingError:
        return
    assert np.isfinite(model.predict(fresh(name, kind).rows)).all()


def test_the_estimate_is_finite(trained):
    name, kind, _ = trained
    card = CARDS[name]
    train = replace(examples(kind, card.modalities), support=support_of(card))
    estimate = discover().load_for(name, TASKS[kind]).estimate(train, TASKS[kind], quick(card), seed=SEED)
    assert type(estimate.seconds) in {int, float}  # kept as JSON
    assert 0 < estimate.seconds < 1e6
    assert 0 <= estimate.memory_mb < 1e6
    reads_texts = card.base == "text_encoder"
    assert (0 < estimate.tokens_per_second < 1e9) if reads_texts else estimate.tokens_per_second == 0
