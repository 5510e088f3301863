"""Guess which column is to be predicted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import polars as pl

from headway.data.dataset import ROW
from headway.data.inference import is_named_identifier
from headway.errors import DataError

_SURE = (
    "target", "label", "labels", "class", "category", "sentiment", "y", "outcome", "intent", "diagnosis",
    "标签", "类别", "类型", "目标", "分类", "情感", "意图", "结果", "诊断",
)  # fmt: skip
_LIKELY = (
    "is_", "survived", "churn", "fraud", "default", "species", "rating", "score", "price", "sales",
    "评分", "价格", "总价", "售价", "单价", "房价", "销量", "销售额", "是否",
)  # fmt: skip
_FEW = 50  # a column with at most so many different values can be classified


def guess_target(rows: pl.DataFrame) -> tuple[str, str]:
    """Return the column that is most likely the target, and why: by its name, else by how few values it has."""
    names = [name for name in rows.columns if name != ROW]
    if len(names) < 2:
        raise DataError(
            "there is only one column",
            expected="at least one input and a target",
            got=", ".join(names),
            fix="are the cells separated by commas, tabs, semicolons or |? Save the file as CSV with a header",
        )
    for name in names:
        if is_named_target(name):
            return name, "its name says so"
    # Of several the plainest: `fraud` before `fraud_scenario`; of equally plain ones the last.
    sure = [name for name in reversed(names) if any(word in _split(name) for word in _SURE)]
    if sure:
        return min(sure, key=lambda name: len(_split(name))), "its name says so"
    likely = [name for name in reversed(names) if any(word in name.casefold() for word in _LIKELY)]
    likely = [name for name in likely if rows[name].drop_nulls().n_unique() > 1]
    if likely:
        return min(likely, key=lambda name: _rank(rows[name])), "its name sounds like it; --target names another"
    # Numbers of rows are nothing to predict, unless nothing else is there.
    names = [name for name in names if not is_named_identifier(name)] or names
    few = [name for name in reversed(names) if 2 <= rows[name].drop_nulls().n_unique() <= min(_FEW, rows.height // 2)]
    if few:
        values = rows[few[0]].drop_nulls().n_unique()
        return few[0], f"a guess: the last column with few different values ({values}); --target names another"
    # One value in all rows is nothing to predict either.
    varied = [name for name in names if rows[name].drop_nulls().n_unique() > 1]
    return (varied or names)[-1], "a guess: the last column; --target names another"


def is_named_target(name: str) -> bool:
    """Tell whether a column's name says that it is there to be predicted: `label`, `class`, `标签`."""
    return name.strip().casefold() in _SURE


def _split(name: str) -> list[str]:
    """Return the words of a column's name."""
    return re.split(r"[\s_.-]", name.casefold())


def _rank(column: pl.Series) -> tuple[bool, bool, int, int]:
    """Return how far a column is from a plain target: a bare name first, then two values, then the shortest name."""
    bare = column.name.strip().casefold() in _LIKELY
    return not bare, column.drop_nulls().n_unique() != 2, len(_split(column.name)), len(column.name)


def check_target(rows: pl.DataFrame, wanted: str, *, where: str = "--target") -> str:
    """Return the wanted column; raises `DataError` with the nearest name where the data have no such column.

    `where`: who wants it.
    """
    names: Sequence[str] = [name for name in rows.columns if name != ROW]
    if wanted in names:
        return wanted
    near = get_close_matches(wanted, names, n=1)
    fix = f'did you mean "{near[0]}"?' if near else ""
    raise DataError(f'no column "{wanted}"', where=where, expected=f"one of {', '.join(names)}", fix=fix)
