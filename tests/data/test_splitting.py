from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.changes import no_changes
from headway.data.dataset import ROW, Column, Dataset
from headway.data.splitting import split
from headway.errors import DataError
from headway.project.schema import Splitting
from headway.runtime.manifest import Target


def make_dataset(y, groups=None, task="classify", times=None):
    y = np.asarray(y)
    columns = {ROW: pl.Series(np.arange(len(y)), dtype=pl.UInt32), "x": np.arange(len(y)) / 7}
    if times is not None:
        columns["when"] = times
    labels = tuple(range(int(y.max()) + 1)) if task == "classify" else ()
    own = np.arange(len(y)) if groups is None else np.asarray(groups)
    typed = y.astype(np.int64 if task == "classify" else np.float32)
    inputs = (Column("x", "number"),)
    return Dataset(pl.DataFrame(columns), inputs, "y", task, labels, typed, own, None, no_changes())


def check_cover(found, rows):
    everything = np.sort(np.concatenate([found.train, found.test]))
    assert everything.tolist() == list(range(rows))
    for fold in found.folds:
        assert np.sort(np.concatenate([fold.train, fold.valid])).tolist() == found.train.tolist()
    if len(found.folds) > 1:
        valid = np.sort(np.concatenate([fold.valid for fold in found.folds]))
        assert valid.tolist() == found.train.tolist()


def test_few_rows_are_cross_validated_and_many_are_held_out():
    few = split(make_dataset(np.arange(500) % 2), Splitting(), seed=0)
    many = split(make_dataset(np.arange(5000) % 2), Splitting(), seed=0)
    assert len(few.folds) == 5
    assert len(many.folds) == 1
    assert (len(many.test), len(many.folds[0].valid)) == (1000, 800)
    check_cover(few, 500)
    check_cover(many, 5000)


def test_a_small_class_gets_three_folds_and_stands_in_each():
    y = np.r_[np.zeros(60), np.ones(4)]
    found = split(make_dataset(y), Splitting(), seed=3)
    assert len(found.folds) == 3
    assert all((y[fold.valid] == 1).any() for fold in found.folds)


def test_every_class_keeps_its_share():
    y = np.r_[np.zeros(900), np.ones(90), np.full(10, 2)]
    found = split(make_dataset(y), Splitting(), seed=1)
    assert np.bincount(y[found.test].astype(int)).tolist() == [180, 18, 2]


def test_regression_is_stratified_by_deciles():
    y = np.random.default_rng(0).lognormal(size=1000)
    found = split(make_dataset(y, task="regress"), Splitting(), seed=1)
    assert (y[found.test] > np.quantile(y, 0.9)).sum() == pytest.approx(20, abs=2)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=60, max_size=200), st.integers(0, 5))
def test_groups_never_cross(rows, seed):
    y, groups = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if len(np.unique(groups)) < 15:
        return
    found = split(make_dataset(y, groups), Splitting(folds=3), seed=seed)
    check_cover(found, len(rows))
    assert not set(groups[found.train]) & set(groups[found.test])
    assert len(found.test)
    for fold in found.folds:
        assert len(fold.valid)
        assert not set(groups[fold.train]) & set(groups[fold.valid])


def test_the_same_seed_gives_the_same_split_and_another_one_does_not():
    dataset = make_dataset(np.arange(400) % 3)
    first, again, other = (split(dataset, Splitting(), seed=seed) for seed in (7, 7, 8))
    assert first.test.tolist() == again.test.tolist()
    assert first.folds[2].valid.tolist() == again.folds[2].valid.tolist()
    assert first.test.tolist() != other.test.tolist()


def test_time_runs_forward():
    times = np.random.default_rng(0).permutation(1000).astype(float)
    found = split(make_dataset(np.arange(1000) % 2, times=times), Splitting(time="when"), seed=0)
    fold = found.folds[0]
    assert times[fold.train].max() < times[fold.valid].min()
    assert times[fold.valid].max() < times[found.test].min()
    assert (len(found.test), len(fold.valid)) == (200, 160)


def test_by_time_a_group_of_the_test_part_is_not_trained_on():
    groups = np.r_[np.arange(90), np.arange(10)]
    found = split(make_dataset(np.arange(100) % 2, groups, times=np.arange(100.0)), Splitting(time="when"), seed=0)
    assert not set(groups[found.train]) & set(groups[found.test])
    assert len(found.train) == 70


def test_a_given_test_part_leaves_all_rows_to_training():
    found = split(make_dataset(np.arange(100) % 2), Splitting(), seed=0, given_test=True)
    assert len(found.test) == 0
    assert len(found.train) == 100


def test_one_group_cannot_be_split():
    with pytest.raises(DataError, match="independent rows"):
        split(make_dataset(np.arange(50) % 2, np.zeros(50, int)), Splitting(), seed=0)


def test_a_time_column_that_was_not_kept_is_named():
    with pytest.raises(DataError, match=r"split\.time"):
        split(make_dataset(np.arange(50) % 2), Splitting(time="day"), seed=0)


def test_rows_just_before_the_test_part_are_left_out_by_a_gap():
    times = np.arange(1000.0)
    found = split(make_dataset(np.arange(1000) % 2, times=times), Splitting(time="when", gap=50.0), seed=0)
    assert found.test.min() == 800
    assert found.train.max() == 749
    assert found.folds[0].valid.max() == 749


def test_a_rare_class_gets_a_longer_validation_part_by_time():
    y = (np.arange(20_000) % 50 == 0).astype(int)
    found = split(make_dataset(y, times=np.arange(20_000.0)), Splitting(time="when"), seed=0)
    assert len(found.folds[0].valid) == 4800


def several_dataset(rows=400, seed=0):
    """A common and a rare class, a number, and many missing cells."""
    random = np.random.default_rng(seed)
    y = np.stack(
        [random.integers(0, 3, rows), (np.arange(rows) % 40 == 7).astype(float), random.normal(size=rows)], axis=1
    ).astype(np.float32)
    y[random.random(y.shape) < (0.3, 0.0, 0.6)] = np.nan
    targets = (Target("a", "classify", (0, 1, 2)), Target("b", "classify", (0, 1)), Target("c", "regress"))
    return replace(make_dataset(np.zeros(rows)), task="several", labels=(), y=y, targets=targets)


def test_the_classes_of_every_target_keep_their_shares():
    dataset = several_dataset()
    found = split(dataset, Splitting(), seed=0)
    check_cover(found, 400)
    assert len(found.test) == pytest.approx(80, abs=3)
    assert int(np.nansum(dataset.y[found.test, 1])) == 2
    assert sorted(int(np.nansum(dataset.y[fold.valid, 1])) for fold in found.folds) == [1, 1, 2, 2, 2]
    for label in range(3):
        whole = (dataset.y[:, 0] == label).sum()
        assert (dataset.y[found.test, 0] == label).sum() == pytest.approx(0.2 * whole, abs=2)
    known = ~np.isnan(dataset.y[:, 2])
    assert known[found.test].sum() == pytest.approx(0.2 * known.sum(), abs=4)


def test_groups_of_several_targets_stay_together():
    dataset = replace(several_dataset(), groups=np.arange(400) // 4)
    found = split(dataset, Splitting(), seed=0)
    check_cover(found, 400)
    assert not set(dataset.groups[found.train]) & set(dataset.groups[found.test])


def test_a_split_of_several_targets_repeats_itself():
    first, again = (split(several_dataset(), Splitting(), seed=3) for _ in range(2))
    assert first.test.tolist() == again.test.tolist()
