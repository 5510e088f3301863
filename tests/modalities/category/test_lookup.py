import numpy as np
import spox

from headway.modalities.category.lookup import fit_lookup, lookup_nodes
from headway.modalities.table import session


def run(lookup, values):
    x = spox.argument(spox.Tensor(np.str_, ("rows", values.shape[1])))
    (features,) = session.run(session.build({"x": x}, {"y": lookup_nodes(lookup, x)}), {"x": values})
    return features


def column(*values):
    return np.array([[value] for value in values], dtype=object)


TARGETS = np.array([[1.0, 0.0], [0.0, 1.0]])


def targets_for(n):
    return TARGETS[np.arange(n) % 2]


def test_each_level_has_a_place_and_missing_is_a_level_of_its_own():
    values = column(*["a", "b", ""] * 10)
    lookup, own = fit_lookup(values, targets_for(30), style="linear", seed=0)
    np.testing.assert_array_equal(run(lookup, values), own)
    assert own.shape == (30, 3)
    assert len(np.unique(own, axis=0)) == 3
    np.testing.assert_array_equal(own.sum(axis=1), 1.0)


def test_an_unseen_value_belongs_to_no_level():
    values = column(*["a", "b", "c"] * 10)
    lookup, _ = fit_lookup(values, targets_for(30), style="linear", seed=0)
    np.testing.assert_array_equal(run(lookup, column("never seen")), 0.0)


def test_two_levels_need_one_column_and_an_unseen_value_lies_between():
    values = column(*["yes", "no"] * 10)
    lookup, own = fit_lookup(values, targets_for(20), style="linear", seed=0)
    assert own.shape[1] == 1
    assert run(lookup, column("perhaps"))[0, 0] == 0.5


def test_values_seen_once_are_pooled_with_unseen_ones():
    values = column(*["a", "b", "c"] * 10, "odd one", "odder one")
    lookup, own = fit_lookup(values, targets_for(32), style="linear", seed=0)
    np.testing.assert_array_equal(own[30], own[31])
    np.testing.assert_array_equal(run(lookup, column("unseen"))[0], own[30])
    assert own[30].sum() == 1.0


def many(n=2000, levels=200, seed=0):
    codes = np.random.default_rng(seed).integers(0, levels, n)
    return column(*[f"v{c}" for c in codes]), codes


def test_many_levels_are_described_by_target_mean_and_count():
    values, codes = many()
    y = (codes < 100).astype(int)
    lookup, _ = fit_lookup(values, np.eye(2)[y], style="linear", seed=0)
    assert lookup.width == 2
    means = run(lookup, values)[:, 0]
    assert means[y == 1].min() > means[y == 0].max()
    prior, unseen = y.mean(), run(lookup, column("unseen"))[0, 0]
    assert abs(unseen - prior) < 0.05


def test_a_row_never_sees_its_own_target():
    # Targets are coin tosses: out-of-fold means know nothing of them, in-sample means do.
    values, _ = many(n=1000, levels=300, seed=1)
    y = np.random.default_rng(2).integers(0, 2, 1000)
    lookup, own = fit_lookup(values, np.eye(2)[y], style="linear", seed=0)
    assert np.corrcoef(run(lookup, values)[:, 0], y)[0, 1] > 0.3
    assert abs(np.corrcoef(own[:, 0], y)[0, 1]) < 0.15


def test_codes_count_levels_from_one_and_unseen_is_zero():
    values = column(*["a", "a", "b", "a", "b", "c", "c", "a"] * 3)
    lookup, own = fit_lookup(values, targets_for(24), style="codes", seed=0)
    assert set(own.ravel()) == {1.0, 2.0, 3.0}
    assert run(lookup, column("a", "unseen")).ravel().tolist() == [1.0, 0.0]


def test_a_column_of_nothing_but_different_values_says_nothing():
    values = column(*[f"id {i}" for i in range(20)])
    lookup, own = fit_lookup(values, targets_for(20), style="linear", seed=0)
    np.testing.assert_array_equal(own, 0.0)
    np.testing.assert_array_equal(run(lookup, values), 0.0)


def test_columns_stand_side_by_side_in_the_order_of_the_feed():
    values = np.concatenate([column(*["a", "b", "c"] * 10), column(*["x", "y"] * 15)], axis=1)
    lookup, own = fit_lookup(values, targets_for(30), style="linear", seed=0)
    np.testing.assert_array_equal(run(lookup, values), own)
    assert own.shape == (30, 4)
