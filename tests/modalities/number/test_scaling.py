import numpy as np
import pytest

from headway.modalities.number.scaling import add_hinges, add_pairs, add_steps, fit_scaling, scale, scaling_nodes
from headway.modalities.table import session


def run(scaling, numbers):
    x = session.argument(numbers.shape[1])
    (features,) = session.run(session.build({"x": x}, {"y": scaling_nodes(scaling, x)}), {"x": numbers})
    return features


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    table = np.stack([rng.normal(50, 10, 400), np.exp(rng.normal(size=400) * 2), rng.integers(0, 4, 400)], axis=1)
    table[::9, 0] = np.nan
    return table.astype(np.float32)


def test_columns_come_out_with_mean_zero_and_deviation_one(numbers):
    features = run(fit_scaling(numbers), numbers)
    present = ~np.isnan(numbers[:, 0])
    assert abs(features[present, 0].mean()) < 1e-3
    assert abs(features[present, 0].std() - 1) < 1e-3
    np.testing.assert_allclose(features[:, 1:3].std(axis=0), 1.0, atol=1e-3)


def test_a_lopsided_column_is_made_symmetric_and_a_normal_one_is_left(numbers):
    scaling = fit_scaling(numbers)
    assert scaling.bent.tolist() == [False, True, False]
    raw = (numbers[:, 1] - numbers[:, 1].mean()) / numbers[:, 1].std()
    assert (run(scaling, numbers)[:, 1] ** 3).mean() < 0.4 * (raw**3).mean()


def test_only_columns_with_gaps_get_a_flag_and_gaps_get_the_median(numbers):
    scaling = fit_scaling(numbers)
    features = run(scaling, numbers)
    assert scaling.flagged == (0,)
    np.testing.assert_array_equal(features[:, 3], np.isnan(numbers[:, 0]))
    median = np.nanmedian(numbers[:, 0])
    filled = run(scaling, np.array([[median, *numbers[0, 1:]]], np.float32))[0]
    np.testing.assert_allclose(features[0], filled + np.array([0, 0, 0, 1]), atol=1e-5)


def test_constant_and_empty_columns_are_zero_even_for_new_values():
    train = np.array([[3.0, np.nan]] * 5, np.float32)
    scaling = fit_scaling(train)
    assert scaling.flagged == ()
    np.testing.assert_array_equal(run(scaling, np.array([[3.0, np.nan], [1e30, 7.0]], np.float32)), 0.0)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, 3.4e38, -3.4e38])
def test_extreme_values_stay_finite_in_training_and_after(numbers, odd):
    wild = numbers.copy()
    wild[0] = odd
    scaling = add_pairs(add_hinges(fit_scaling(wild), wild))
    assert np.isfinite(run(scaling, wild)).all()
    assert np.isfinite(run(add_hinges(fit_scaling(numbers), numbers), wild)).all()


def test_nodes_agree_with_the_formula(numbers):
    scaling = fit_scaling(numbers)
    np.testing.assert_allclose(run(scaling, numbers)[:, :3], scale(scaling, numbers), atol=1e-5)


def test_hinges_let_each_of_few_values_have_its_own_effect(numbers):
    scaling = add_hinges(fit_scaling(numbers), numbers)
    places = [index for index, (column, _) in enumerate(scaling.knots) if column == 2]
    features = run(scaling, numbers)
    offset = 3 + len(scaling.flagged)
    design = np.column_stack([np.ones(len(numbers)), features[:, 2], features[:, [offset + p for p in places]]])
    target = np.array([0.0, 5.0, -1.0, 2.0])[numbers[:, 2].astype(int)]
    answer = design @ np.linalg.lstsq(design, target, rcond=None)[0]
    np.testing.assert_allclose(answer, target, atol=1e-3)


def test_steps_rise_between_values_and_stay(numbers):
    scaling = add_steps(fit_scaling(numbers), numbers)
    places = [index for index, (column, _) in enumerate(scaling.steps) if column == 2]
    assert len(places) == 3
    offset = 3 + len(scaling.flagged)
    risen = run(scaling, numbers)[:, [offset + place for place in places]]
    np.testing.assert_array_equal(risen.sum(axis=1), 0.5 * numbers[:, 2])
    assert 3 <= sum(column == 1 for column, _ in scaling.steps) <= 7
    assert add_steps(fit_scaling(numbers[:, :1] * 0), numbers[:, :1] * 0).steps == ()


def test_pairs_are_products_and_are_left_out_where_they_are_too_many(numbers):
    scaling = add_pairs(fit_scaling(numbers))
    features = run(scaling, numbers)
    place = 3 + len(scaling.flagged) + scaling.pairs.index((0, 2))
    np.testing.assert_allclose(features[:, place], features[:, 0] * features[:, 2], atol=1e-5)
    assert add_pairs(fit_scaling(numbers), limit=5).pairs == ()
