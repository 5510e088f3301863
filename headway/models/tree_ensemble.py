"""Decision trees as one ONNX TreeEnsembleRegressor node (ai.onnx.ml 3), whoever grew them.

Both LightGBM and scikit-learn send a float32 feature x left when x <= t, with t in double precision. The largest
float32 not above t gives the same decision for every float32 x, so thresholds are rounded down, never to nearest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import spox.opset.ai.onnx.ml.v4 as ml
from spox import Var

from headway.errors import PackageError

# LightGBM counts |x| up to this as zero where zero means missing.
_ZERO = 1e-35


@dataclass(frozen=True)
class Tree:
    """One tree; node 0 is the root.

    `feature` is -1 at leaves; `threshold` float64; `left` and `right` are node indices; `missing_left` says where NaN
    goes; `value` is `[nodes, targets]`, used at leaves only.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray


def trees_of_lightgbm(dump: Mapping[str, Any], *, targets: int) -> list[Tree]:
    """Read `Booster.dump_model()`; tree i adds to target i modulo `targets`.

    Raises `PackageError` for what the node cannot say: categorical splits, and zero as missing where zero would
    otherwise go the other way.
    """
    return [
        _tree_of_lightgbm(info["tree_structure"], index % targets, targets)
        for index, info in enumerate(dump["tree_info"])
    ]


def trees_of_sklearn(estimators: Sequence[Any], values: Sequence[np.ndarray]) -> list[Tree]:
    """Read fitted scikit-learn trees; `values[i]` are the `[nodes, targets]` answers of tree i."""
    trees = []
    for estimator, value in zip(estimators, values, strict=True):
        grown = estimator.tree_
        is_leaf = grown.children_left < 0
        trees.append(
            Tree(
                np.where(is_leaf, -1, grown.feature),
                grown.threshold,
                grown.children_left,
                grown.children_right,
                grown.missing_go_to_left.astype(bool),
                value,
            )
        )
    return trees


def tree_nodes(trees: Sequence[Tree], features: Var, *, base: np.ndarray, scale: float = 1.0) -> Var:
    """Return float32 `[rows, targets]`: `base` plus `scale` times the sum of all trees' answers."""
    sizes = [len(tree.feature) for tree in trees]
    tree_ids = np.repeat(np.arange(len(trees)), sizes)
    node_ids = np.concatenate([np.arange(size) for size in sizes])
    feature = np.concatenate([tree.feature for tree in trees])
    inner = feature >= 0
    thresholds = round_down(np.concatenate([tree.threshold for tree in trees]))
    values = np.concatenate([tree.value for tree in trees]) * scale
    leaves, targets = np.nonzero((~inner)[:, None] & ((values != 0) | (np.arange(values.shape[1]) == 0)))
    return ml.tree_ensemble_regressor(
        features,
        aggregate_function="SUM",
        base_values=[float(value) for value in base],
        n_targets=values.shape[1],
        nodes_falsenodeids=np.where(inner, np.concatenate([tree.right for tree in trees]), 0).tolist(),
        nodes_truenodeids=np.where(inner, np.concatenate([tree.left for tree in trees]), 0).tolist(),
        nodes_featureids=np.where(inner, feature, 0).tolist(),
        nodes_missing_value_tracks_true=(inner & np.concatenate([t.missing_left for t in trees])).astype(int).tolist(),
        nodes_modes=np.where(inner, "BRANCH_LEQ", "LEAF").tolist(),
        nodes_nodeids=node_ids.tolist(),
        nodes_treeids=tree_ids.tolist(),
        nodes_values=np.where(inner, thresholds, 0).astype(float).tolist(),
        post_transform="NONE",
        target_ids=targets.tolist(),
        target_nodeids=node_ids[leaves].tolist(),
        target_treeids=tree_ids[leaves].tolist(),
        target_weights=values[leaves, targets].tolist(),
    )


def round_down(thresholds: np.ndarray) -> np.ndarray:
    """Return the largest float32 not above each float64 threshold."""
    largest = np.finfo(np.float32).max
    nearest = np.clip(thresholds, -largest, largest).astype(np.float32)
    with np.errstate(over="ignore"):  # below the smallest finite number lies minus infinity
        below = np.nextafter(nearest, np.float32(-np.inf))
    return np.asarray(np.where(nearest > thresholds, below, nearest), np.float32)


def _tree_of_lightgbm(root: Mapping[str, Any], target: int, targets: int) -> Tree:
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    missing_left: list[bool] = []
    values: list[np.ndarray] = []

    def add(node: Mapping[str, Any]) -> int:
        """Append `node` and all below it; return its index."""
        index = len(feature)
        is_leaf = "split_feature" not in node
        feature.append(-1 if is_leaf else int(node["split_feature"]))
        threshold.append(0.0 if is_leaf else _threshold(node))
        missing_left.append(False if is_leaf else _missing_goes_left(node))
        left.append(0)
        right.append(0)
        value = np.zeros(targets)
        value[target] = node["leaf_value"] if is_leaf else 0.0
        values.append(value)
        if not is_leaf:
            left[index] = add(node["left_child"])
            right[index] = add(node["right_child"])
        return index

    add(root)
    return Tree(
        np.array(feature),
        np.array(threshold),
        np.array(left),
        np.array(right),
        np.array(missing_left),
        np.array(values),
    )


def _threshold(node: Mapping[str, Any]) -> float:
    if node["decision_type"] != "<=":
        raise PackageError(
            "a tree splits in a way that the package format cannot hold", expected="<=", got=node["decision_type"]
        )
    return float(node["threshold"])


def _missing_goes_left(node: Mapping[str, Any]) -> bool:
    """Tell where NaN goes: by default direction, or like zero where training saw no missing value."""
    zero_goes_left = float(node["threshold"]) >= 0
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    if node["missing_type"] == "None":
        return zero_goes_left
    if bool(node["default_left"]) != zero_goes_left and abs(float(node["threshold"])) > _ZERO:
        raise PackageError(
            "a tree treats zero as missing and sends it against its threshold, which the package format cannot hold",
            fix="train LightGBM with zero_as_missing=false",
        )
    return bool(node["default_left"])
