import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import PackageError
from headway.modalities.table import session
from headway.models.tree_ensemble import round_down, tree_nodes, trees_of_lightgbm, trees_of_sklearn


def run(trees, X, base, scale=1.0):
    x = session.argument(X.shape[1])
    onnx = session.build({"x": x}, {"y": tree_nodes(trees, x, base=base, scale=scale)})
    return session.run(onnx, {"x": X})[0]


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(width=32, allow_nan=False))
def test_rounding_down_keeps_every_decision(threshold, x):
    assert (np.float32(x) <= round_down(np.array([threshold]))[0]) == (x <= threshold)


def odd_table(rows, seed):
    rng = np.random.default_rng(seed)
    # Steps of float32 around 1e7 are 1: thresholds between them cannot be told apart after rounding to nearest.
    X = np.stack([rng.normal(size=rows), rng.integers(10_000_000, 10_000_030, rows), rng.integers(-2, 3, rows)], axis=1)
    X = X.astype(np.float32)
    X[rng.random(rows) < 0.2, 0] = np.nan
    return X


@pytest.mark.parametrize("classes", [2, 3])
def test_lightgbm_trees_give_the_same_scores_with_missing_infinite_and_boundary_values(classes):
    X = odd_table(800, 0)
    y = (np.nan_to_num(X[:, 0]) + (X[:, 1] % 7 > 3) + X[:, 2]).round().astype(int) % classes
    objective = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    parameters = {**objective, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 3, "max_bin": 1000}
    booster = lightgbm.train(parameters, lightgbm.Dataset(X, y, params=parameters), 40)
    new = np.concatenate([odd_table(300, 1), np.array([[np.inf, -np.inf, np.nan], [np.nan] * 3, [-np.inf, 0, 0]])])
    new = new.astype(np.float32)
    targets = booster.num_model_per_iteration()
    scores = run(trees_of_lightgbm(booster.dump_model(), targets=targets), new, np.zeros(targets))
    expected = booster.predict(new, raw_score=True).reshape(len(new), -1)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_single_leaf_is_a_tree():
    X, y = np.zeros((50, 1), np.float32), np.full(50, 2.5)
    booster = lightgbm.train({"objective": "regression", "verbosity": -1}, lightgbm.Dataset(X, y), 2)
    np.testing.assert_allclose(run(trees_of_lightgbm(booster.dump_model(), targets=1), X[:2], np.zeros(1)), 2.5)


def test_what_the_format_cannot_hold_is_refused_by_name():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 6, (500, 1)).astype(np.float32)
    y = np.isin(X[:, 0], [1, 4]).astype(int)
    parameters = {"objective": "binary", "verbosity": -1, "min_data_per_group": 1, "cat_smooth": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(X, y, categorical_feature=[0]), 5)
    with pytest.raises(PackageError, match="splits in a way"):
        trees_of_lightgbm(booster.dump_model(), targets=1)


@pytest.mark.parametrize("against", [False, True])
def test_zero_as_missing_is_kept_or_refused(against):
    node = {"split_feature": 0, "threshold": 0.5, "decision_type": "<=", "default_left": not against}
    leaves = {"left_child": {"leaf_value": 1.0}, "right_child": {"leaf_value": 2.0}}
    dump = {"tree_info": [{"tree_structure": {**node, "missing_type": "Zero", **leaves}}]}
    if against:
        with pytest.raises(PackageError, match="zero as missing"):
            trees_of_lightgbm(dump, targets=1)
    else:
        X = np.array([[0.0], [np.nan], [1.0]], np.float32)
        assert run(trees_of_lightgbm(dump, targets=1), X, np.zeros(1)).ravel().tolist() == [1.0, 1.0, 2.0]


def test_scikit_learn_trees_give_the_same_answers_with_missing_values():
    from sklearn.ensemble import RandomForestRegressor

    X = odd_table(300, 0)
    y = np.nan_to_num(X[:, 0], nan=3.0) + X[:, 2]
    model = RandomForestRegressor(10, random_state=0).fit(X, y)
    values = [tree.tree_.value[:, 0, :] for tree in model.estimators_]
    new = odd_table(100, 1)
    answers = run(trees_of_sklearn(model.estimators_, values), new, np.zeros(1), scale=0.1)
    np.testing.assert_allclose(answers[:, 0], model.predict(new), atol=1e-5)
