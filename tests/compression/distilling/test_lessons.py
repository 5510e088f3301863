import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.compression.distilling.lessons import MOST_LABELS, divided, lesson_of, pieces
from headway.compute.clock import Clock
from headway.data.dataset import Column
from headway.models.family import Examples, Support
from tests.compression.graphs import LABELS, TASK, table_graph, texts_frame

TEXTS = Column("text", "text")


def examples_of(frame, unlabelled=None):
    y = np.random.default_rng(0).integers(0, LABELS, frame.height)
    return Examples(frame, (TEXTS,), y, support=Support(unlabelled=unlabelled))


@given(st.integers(1, 20), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_divided_rows_keep_their_weight_and_their_best_label(rows, labels, seed):
    shares = np.random.default_rng(seed).dirichlet(np.full(labels, 0.3), rows)
    places, chosen, weight = divided(shares)
    assert np.bincount(places, weights=weight, minlength=rows) == pytest.approx(np.ones(rows))
    assert np.bincount(places).max() <= MOST_LABELS
    heaviest = {place: int(chosen[places == place][weight[places == place].argmax()]) for place in range(rows)}
    assert list(heaviest.values()) == shares.argmax(1).tolist()


def test_unlabelled_rows_are_answered_by_the_teacher_and_learnt_from():
    teacher, unlabelled = table_graph(), texts_frame(30, seed=5)
    lesson = lesson_of(examples_of(texts_frame(40), unlabelled), teacher, TASK, clock=Clock(), seed=0)
    assert set(unlabelled["text"]) <= set(lesson.examples.rows["text"])
    assert lesson.rows >= 70
    assert lesson.examples.weight.sum() == pytest.approx(lesson.rows, rel=1e-5)


def test_without_time_there_are_the_labelled_rows_alone():
    clock = Clock.after(0)
    lesson = lesson_of(examples_of(texts_frame(40), texts_frame(30, seed=5)), table_graph(), TASK, clock=clock, seed=0)
    assert set(lesson.examples.rows["text"]) == set(texts_frame(40)["text"])


@pytest.mark.parametrize("text", ["the room was very clean", "房间很干净也很安静"])
def test_pieces_are_made_of_the_texts(text):
    found = pieces(pl.DataFrame({"text": [text]}), 20, seed=0)["text"].to_list()
    assert len(set(found)) > 5
    assert all(set(piece.replace(" ", "")) <= set(text) for piece in found)
    assert any(piece in text for piece in found)
