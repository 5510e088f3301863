"""Propose a label for each row that has none: from the labelled rows, or from the labels' words alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import polars as pl

from headway.bases.base import Base
from headway.compute.caches import cache_folder
from headway.compute.clock import Clock
from headway.data.casting import cast_column
from headway.data.dataset import Column
from headway.data.inference import LABELLING
from headway.data.keys import empty_rows
from headway.data.targets import plain_labels
from headway.errors import DataError, TrainingError
from headway.models.family import Examples, Support, discover
from headway.pipeline.labelling.ranking import Ranking, rank, uncertainty
from headway.pipeline.support import FEATURES
from headway.runtime.manifest import Label
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

if TYPE_CHECKING:
    from headway.models.encoder_frozen.frozen import FrozenEncoder

CONFIDENCE, RANK, WHY = LABELLING
# From so many labelled rows a label on, the rows say more than the labels' words.
ENOUGH = 3


@dataclass(frozen=True)
class Wish:
    """What is asked for: the target's column, the text columns, labels beside those in the rows, and their meaning."""

    target: str
    columns: tuple[str, ...]
    labels: tuple[str, ...] = ()
    descriptions: Mapping[str, str] | None = None
    top: int = 100
    seed: int = 0
    lang: Literal["en", "zh"] = "en"


@dataclass(frozen=True)
class Proposal:
    """`ranked`: the rows to look at, first the one that teaches most; `rest`: the other unlabelled ones.

    `labelled`: the rows that had a label. `source`: where the proposals come from. `textless`: how many of `rest`, its
    last rows, have no text to propose a label from.
    """

    ranked: pl.DataFrame
    rest: pl.DataFrame
    labelled: pl.DataFrame
    source: Literal["rows", "words"]
    labels: tuple[Label, ...]
    textless: int = 0

    @property
    def to_correct(self) -> pl.DataFrame:
        """The ranked rows above the labelled ones, in one table."""
        return pl.concat([self.ranked, self.labelled], how="diagonal_relaxed")


def propose(rows: pl.DataFrame, wish: Wish, base: Base, *, store: Path | None = None) -> Proposal:
    """Return proposals for the rows whose target is empty.

    Raises `DataError` where no row with a text lacks a label or there are fewer than two labels, `TrainingError` where
    labels are no words and there are too few labelled rows to learn from.
    """
    cells = plain_labels(rows[wish.target])
    labels = _labels(cells, wish)
    known = np.array([cell is not None for cell in cells])
    texts = pl.DataFrame([cast_column(rows[column], "text").series for column in wish.columns])
    inputs = tuple(Column(column, "text") for column in wish.columns)
    has_text = ~empty_rows(texts, inputs)
    is_open = ~known & has_text
    if not is_open.any():
        what = "every row has a label" if known.all() else "every row with a text has a label"
        raise DataError(what, where=wish.target, fix="add rows whose label is empty")
    unlabelled = texts.filter(pl.Series(is_open))
    support = Support(base=base, unlabelled=unlabelled, store=store or cache_folder(FEATURES))
    place = {label: position for position, label in enumerate(labels)}
    y = np.array([place[cell] for cell in cells if cell is not None], dtype=np.int64)
    train = Examples(texts.filter(pl.Series(known)), inputs, y, support=support)
    task = Classify(labels, descriptions=wish.descriptions or {})
    source: Literal["rows", "words"] = "rows" if _can_learn(y, len(labels)) else "words"
    fitted = _fit(source, train, task, wish.seed)
    shares = fitted.predict(unlabelled)
    read = fitted.eyes.read
    ranking = rank(
        read(unlabelled), shares, top=wish.top, labelled=read(train.rows) if len(y) else None, seed=wish.seed
    )
    opened = rows.filter(pl.Series(is_open))
    others = opened[np.setdiff1d(np.arange(opened.height), ranking.order)]
    textless = rows.filter(pl.Series(~known & ~has_text))
    return Proposal(
        _with_proposals(opened, wish, labels, shares, ranking),
        pl.concat([others, textless]).drop(wish.target),
        rows.filter(pl.Series(known)).with_columns(pl.col(wish.target).cast(pl.String)),
        source,
        labels,
        textless.height,
    )


def _fit(source: str, train: Examples, task: Classify, seed: int) -> FrozenEncoder:
    """Return a fitted family: the frozen encoder where rows teach, else the labels' words."""
    name = "encoder_frozen" if source == "rows" else "encoder_zeroshot"
    try:
        fitted = discover().load(name).fit(train, None, task, Recipe(), settings=None, seed=seed, clock=Clock())
    except TrainingError as error:
        if source == "words" and len(train):
            fix = f"label at least {ENOUGH} rows of each label by hand, or name them in words"
            raise TrainingError(error.problems[0].what, got=error.problems[0].got, fix=fix) from error
        raise
    return cast("FrozenEncoder", fitted)


def _can_learn(y: np.ndarray, labels: int) -> bool:
    """Tell whether the labelled rows say more than the labels' words."""
    return len(y) > 0 and int(np.bincount(y, minlength=labels).min()) >= ENOUGH


def _labels(cells: Sequence[Label | None], wish: Wish) -> tuple[Label, ...]:
    """Return the labels asked for, then those that rows have beside them."""
    asked: list[Label] = [name.strip() for name in wish.labels if name.strip()]
    found = sorted({cell for cell in cells if cell is not None}, key=str)
    known = {str(label): label for label in [*asked, *found]}
    if len(known) < 2:
        raise DataError(
            "there are no labels to choose from" if not known else "there is only one label",
            where=f"column {wish.target}",
            expected="at least two labels",
            got=", ".join(known) or "no row has a label",
            fix="name them: --labels complaint,praise,question",
        )
    return tuple(known.values())


def _with_proposals(
    rows: pl.DataFrame, wish: Wish, labels: tuple[Label, ...], shares: np.ndarray, ranking: Ranking
) -> pl.DataFrame:
    """Return the ranked rows with proposal, confidence, rank and reason."""
    some = shares[ranking.order]
    first, second = np.argsort(-some, axis=1, kind="stable")[:, :2].T
    doubts = uncertainty(some)
    why = [
        _reason(str(labels[a]), str(labels[b]), float(doubt), int(count), wish.lang)
        for a, b, doubt, count in zip(first, second, doubts, ranking.alike, strict=True)
    ]
    return rows[ranking.order].with_columns(
        pl.Series(wish.target, [str(labels[a]) for a in first], dtype=pl.String),
        pl.Series(CONFIDENCE, np.round(some.max(axis=1).astype(np.float64), 3)),
        pl.Series(RANK, np.arange(1, len(some) + 1)),
        pl.Series(WHY, why, dtype=pl.String),
    )


_WHY = {
    "en": ("unclear: {first} or {second}", "seems {first}", "; rows like it: {alike}", "; like no other row"),
    "zh": ("不确定：{first} 或 {second}", "像是 {first}", "；相似的行：{alike}", "；没有相似的行"),
}


def _reason(first: str, second: str, doubt: float, alike: int, lang: Literal["en", "zh"]) -> str:
    """Return why a row is worth a look."""
    unclear, clear, many, alone = _WHY[lang]
    words = (unclear if doubt > 0.5 else clear) + (many if alike else alone)
    return words.format(first=first, second=second, alike=alike)
