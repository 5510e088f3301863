from dataclasses import replace

import numpy as np
import polars as pl

from headway.data.dataset import ROW, Column, Dataset, Fold
from headway.models.family import Examples
from headway.pipeline.bought import tell_what_was_bought
from headway.pipeline.competing import Competed
from headway.tasks import Classify, Regress
from headway.training.contest import Contest
from headway.training.outcome import Outcome, Tournament

ROWS = 200
KINDS = frozenset({"text_encoder"})
INPUTS = (Column("text", "text"),)


def table(y, task="classify"):
    rows = pl.DataFrame({ROW: range(ROWS), "text": [f"text {i}" for i in range(ROWS)]})
    changes = pl.DataFrame(schema={ROW: pl.UInt32, "step": pl.String, "reason": pl.String})
    labels = ("no", "yes") if task == "classify" else ()
    return Dataset(rows, INPUTS, "y", task, labels, y, np.arange(ROWS), None, changes)


def competed(y, task, metric, **answers):
    contest = Contest(
        Examples(pl.DataFrame({"text": ["x"] * ROWS}), INPUTS, y),
        np.arange(ROWS),
        (Fold(np.arange(100), np.arange(100, ROWS)),),
        task,
        metric,
    )
    outcomes = tuple(
        Outcome(name, "won" if name == "encoder_frozen" else "ok", metrics={metric: score}, answers=given)
        for name, (score, given) in answers.items()
    )
    tournament = Tournament(outcomes, "encoder_frozen", None, metric, refitted=True, answers=None, expected=None)
    return Competed(task, contest, tournament)


def sure(chosen):
    return np.eye(2, dtype=np.float32)[chosen] * 0.8 + 0.1


def test_the_rows_that_only_the_large_model_got_right_are_shown():
    y = np.arange(ROWS) % 2
    truth = y[100:]
    small = np.where(np.arange(100) < 30, 1 - truth, truth)
    large = np.where(np.arange(100) < 10, 1 - truth, truth)
    task = Classify(("no", "yes"))
    held = competed(
        y, task, "accuracy", baseline=(0.5, sure(truth * 0)), ngram_linear=(0.7, sure(small)),
        encoder_frozen=(0.9, sure(large)),
    )  # fmt: skip
    found = tell_what_was_bought(held, table(y), KINDS)
    assert (found.without, found.with_base, found.better) == ("ngram_linear", "encoder_frozen", "encoder_frozen")
    assert found.only == (0, 20)
    assert found.standings == (("encoder_frozen", True), ("ngram_linear", False), ("baseline", False))
    assert found.mixed_without is None
    assert np.allclose(found.values, (0.7, 0.9))
    assert len(found.examples) == 10
    for each in found.examples:
        assert each.with_base == each.actual != each.without
        assert 110 <= each.cells[ROW] < 130


def test_numbers_are_shown_where_the_large_model_came_closer():
    y = np.arange(ROWS, dtype=np.float32)
    truth = y[100:]
    held = competed(
        y, Regress(), "rmse", ngram_linear=(5.0, truth + 5), encoder_frozen=(1.0, truth - 1)
    )  # fmt: skip
    found = tell_what_was_bought(held, table(y, "regress"), KINDS)
    assert found.better == "encoder_frozen"
    assert found.only == (0, 0)
    first = found.examples[0]
    assert abs(first.with_base - first.actual) < abs(first.without - first.actual)


def test_nothing_is_told_where_one_side_is_missing():
    y = np.arange(ROWS) % 2
    task = Classify(("no", "yes"))
    truth = sure(y[100:])
    alone = competed(y, task, "accuracy", baseline=(0.5, truth), encoder_frozen=(0.9, truth))
    assert tell_what_was_bought(alone, table(y), KINDS) is None
    cut = competed(y, task, "accuracy", ngram_linear=(0.7, truth), encoder_frozen=(0.9, truth[:50]))
    assert tell_what_was_bought(cut, table(y), KINDS) is None


def test_of_equals_the_one_that_won_comes_first():
    y = np.arange(ROWS) % 2
    truth = sure(y[100:])
    held = competed(
        y, Classify(("no", "yes")), "accuracy", encoder_finetune=(0.9, truth), encoder_frozen=(0.9, truth),
        ngram_linear=(0.7, truth),
    )  # fmt: skip
    found = tell_what_was_bought(held, table(y), KINDS)
    assert found.with_base == found.standings[0][0] == "encoder_frozen"


def test_a_mix_with_one_member_on_a_base_stands_on_it():
    y = np.arange(ROWS) % 2
    task = Classify(("no", "yes"))
    truth = sure(y[100:])
    held = competed(y, task, "accuracy", ngram_linear=(0.7, truth), ensemble=(0.95, truth), encoder_frozen=(0.9, truth))
    members = {"ngram_linear": 0.5, "encoder_frozen": 0.5}
    outcomes = tuple(
        replace(each, members=members) if each.name == "ensemble" else each for each in held.tournament.outcomes
    )
    found = tell_what_was_bought(replace(held, tournament=replace(held.tournament, outcomes=outcomes)), table(y), KINDS)
    assert (found.without, found.with_base) == ("ngram_linear", "ensemble")


def test_candidates_without_a_base_are_also_set_beside_it_mixed():
    y = np.arange(ROWS) % 2
    truth = y[100:]
    doubtful = np.where(np.arange(100) % 2, 0.6, 0.9)  # each is sure of the rows that the other gets wrong
    first, second = (np.where(np.arange(100) % 2 == part, truth, 1 - truth) for part in (0, 1))

    def answers(chosen, sureness):
        return (np.eye(2)[chosen] * (2 * sureness - 1)[:, None] + (1 - sureness)[:, None]).astype(np.float32)

    small = {"ngram_linear": answers(first, doubtful), "text_cnn": answers(second, 1.5 - doubtful)}
    held = competed(
        y, Classify(("no", "yes")), "accuracy", encoder_frozen=(0.9, sure(truth)),
        **{name: (0.5, given) for name, given in small.items()},
    )  # fmt: skip
    assert tell_what_was_bought(held, table(y), KINDS).mixed_without == 1.0


def test_a_small_encoder_of_its_own_is_no_large_model():
    y = np.arange(ROWS) % 2
    task = Classify(("no", "yes"))
    held = competed(y, task, "accuracy", ngram_linear=(0.5, sure(y[100:] * 0)), encoder_pretrain=(1.0, sure(y[100:])))
    assert tell_what_was_bought(held, table(y), frozenset()) is None
    assert tell_what_was_bought(held, table(y), KINDS).with_base == "encoder_pretrain"
