"""What the data is and what is wrong with it, in figures that a report can show."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import polars as pl

from headway.data.casting import cast_column
from headway.data.cleaning import Cleaned
from headway.data.dataset import ROW, Dataset, Finding, ModalityName, Table
from headway.data.inference import Inference, check_columns

_SAMPLE = 5_000
_KINDS: Mapping[str, ModalityName] = {"classify": "category", "regress": "number", "generate": "text"}
_IMAGES = 200
_TOP = 10
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class ColumnProfile:
    """One column in figures; what does not apply to its modality is None or empty.

    `modality` is None for a column that is not used. `range` is (smallest, largest) as text; `quantiles` maps "0.05" to
    a number or, for text, to a length in characters; `languages` maps zh, en and other to their share of the texts
    (told by script); `top` are the most common values with their counts; `sizes` are the most common image sizes.
    """

    name: str
    dtype: str
    modality: ModalityName | None
    used: bool
    reason: str
    rows: int
    missing: int
    distinct: int
    range: tuple[str, str] | None = None
    mean: float | None = None
    deviation: float | None = None
    quantiles: Mapping[str, float] = field(default_factory=dict)
    languages: Mapping[str, float] = field(default_factory=dict)
    top: tuple[tuple[str, int], ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """The data in figures. All counts are rows unless they say otherwise; `as_json` makes plain data of it.

    `classes`: label (as text) -> rows in training after cleaning, for classification; `target`: the figures of the
    target column; of several, `targets` are the figures of each, and `target` those of the first. `duplicates`,
    `near_duplicates`, `contradictions`: rows of the training part that repeat, nearly repeat, or stand under several
    labels. `leaked`: test rows that also stand in training. `leaks`: columns that give the target away. `sampled`: rows
    that texts and images were looked at in, or None when all were.
    """

    read: int
    rejected: int
    rows: int
    used: int
    test_rows: int | None
    target: ColumnProfile
    columns: tuple[ColumnProfile, ...]
    classes: Mapping[str, int]
    duplicates: int
    near_duplicates: int
    contradictions: int
    leaked: int
    leaks: tuple[str, ...]
    rejected_reasons: Mapping[str, int]
    findings: tuple[Finding, ...]
    sampled: int | None
    targets: tuple[ColumnProfile, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the profile as plain dictionaries, lists, strings and numbers."""
        return asdict(self)


def profile(table: Table, *, target: str, inference: Inference, cleaned: Cleaned) -> Profile:
    """Return the figures of a table that was read, interpreted and cleaned."""
    kinds: Mapping[str, str] = inference.targets or {target: inference.task}
    check_columns(table.rows.columns, kinds, where="target")
    counts = count_rows(table, cleaned)
    guesses = {guess.column: guess for guess in inference.guesses}
    # Who said what, and answers liked less, stand beside texts and are no columns of a user's.
    beside = () if inference.task != "generate" else tuple(set(table.rows.columns) - set(guesses))
    columns = tuple(
        profile_column(
            table.rows[name],
            guesses[name].modality if name in guesses else None,
            used=name in guesses and guesses[name].use,
            reason=guesses[name].reason if name in guesses else "ignored, as the project file says",
        )
        for name in table.rows.columns
        if name not in (ROW, *kinds, *beside)
    )
    targets = tuple(
        profile_column(table.rows[name], _KINDS[kind], used=True, reason="the target") for name, kind in kinds.items()
    )
    findings = (*inference.findings, *cleaned.findings, *_imbalance(cleaned.train))
    return Profile(
        read=table.read,
        rejected=counts["rejected"],
        rows=table.rows.height,
        used=counts["used"],
        test_rows=None if cleaned.test is None else len(cleaned.test),
        target=targets[0],
        targets=targets if inference.targets else (),
        columns=columns,
        classes=_class_counts(cleaned.train),
        duplicates=counts["duplicates"],
        near_duplicates=counts["near_duplicates"],
        contradictions=counts["contradictions"],
        leaked=0 if cleaned.test is None else cleaned.test.changes.filter(pl.col("step") == "leaked").height,
        leaks=tuple(item.column for item in inference.findings if item.code == "leak" and item.column),
        rejected_reasons=dict(Counter(cleaned.rejected["reason"].to_list()).most_common(20)),
        findings=findings,
        sampled=_SAMPLE if table.rows.height > _SAMPLE else None,
    )


def count_rows(table: Table, cleaned: Cleaned) -> dict[str, int]:
    """Return what became of the rows that were read.

    `read` is the sum of `rejected`, `duplicates` (dropped), `contradictions`, `rare` (classes of one row), `left_out`
    (they would not fit into memory) and `used`, and of `near_duplicates` where these are dropped; where they are only
    grouped they are among the used.
    """
    steps = Counter(cleaned.train.changes["step"].to_list())
    gone = {"duplicates": "duplicate", "contradictions": "contradiction", "rare": "rare_class"}
    counts = {name: steps[step] for name, step in gone.items()}
    used = len(cleaned.train)
    rejected = table.read - used - sum(counts.values()) - steps["near_duplicate"] - table.left_out
    near = steps["near_duplicate"] + steps["near_duplicate_grouped"]
    shown = {"near_duplicates": near, "left_out": table.left_out, "used": used}
    return {"read": table.read, "rejected": rejected, **counts, **shown}


def profile_column(series: pl.Series, modality: ModalityName | None, *, used: bool, reason: str) -> ColumnProfile:
    """Return the figures of one column."""
    missing = series.null_count()
    common = {
        "name": series.name,
        "dtype": str(series.dtype),
        "modality": modality,
        "used": used,
        "reason": reason,
        "rows": len(series),
        "missing": missing,
        "distinct": series.n_unique() - (missing > 0) if series.dtype != pl.Binary else len(series) - missing,
    }
    return ColumnProfile(**{**common, **_figures(series, modality)})  # type: ignore[arg-type]


def languages(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of zh, en and other among the texts, told by their scripts alone."""
    found = Counter(_language(text) for text in texts)
    return {name: found[name] / len(texts) for name in ("zh", "en", "other") if found[name]}


def _figures(series: pl.Series, modality: ModalityName | None) -> dict[str, object]:
    filled = series.drop_nulls()
    if modality is None or len(filled) == 0:
        return {"examples": tuple(_short(value) for value in filled.head(3).to_list())}
    if modality in ("number", "date"):
        return _number_figures(cast_column(series, modality).series.drop_nulls())
    if modality == "image":
        return {"sizes": _image_sizes(_thin(filled, _IMAGES).to_list())}
    if modality == "text":
        return _text_figures(_thin(filled, _SAMPLE))
    counts = cast_column(filled, "category").series.value_counts(sort=True)
    top = tuple((str(value), int(count)) for value, count in counts.head(_TOP).rows())
    return {"top": top, "distinct": counts.height}


def _number_figures(values: pl.Series) -> dict[str, object]:
    if len(values) == 0:
        return {}
    edges = (str(values.min()), str(values.max()))
    if values.dtype.is_temporal():
        return {"range": edges}
    return {
        "range": edges,
        "mean": float(values.mean()),  # type: ignore[arg-type]
        "deviation": float(values.std() or 0.0),  # type: ignore[arg-type]
        "quantiles": _quantiles(values),
    }


def _text_figures(texts: pl.Series) -> dict[str, object]:
    lengths = texts.str.len_chars()
    return {
        "range": (str(lengths.min()), str(lengths.max())),
        "mean": float(lengths.mean()),  # type: ignore[arg-type]
        "quantiles": _quantiles(lengths),
        "languages": languages(texts.to_list()),
        "examples": tuple(_short(text) for text in texts.head(3).to_list()),
    }


def _quantiles(values: pl.Series) -> dict[str, float]:
    return {str(share): float(values.quantile(share, "linear") or 0.0) for share in _QUANTILES}


def _image_sizes(images: Sequence[str | bytes]) -> tuple[tuple[str, int], ...]:
    from PIL import Image

    sizes: Counter[str] = Counter()
    for image in images:
        with Image.open(io.BytesIO(image) if isinstance(image, bytes) else image) as opened:
            sizes[f"{opened.width} x {opened.height} {opened.mode}"] += 1
    return tuple(sizes.most_common(_TOP))


def _language(text: str) -> str:
    letters = len(_LETTER.findall(text))
    if letters == 0 or _KANA.search(text):
        return "other"
    if len(_HAN.findall(text)) >= 0.3 * letters:
        return "zh"
    return "en" if len(_LATIN.findall(text)) >= 0.8 * letters else "other"


def _class_counts(dataset: Dataset) -> dict[str, int]:
    if dataset.task != "classify" or not dataset.labels:
        return {}
    counts = np.bincount(dataset.y, minlength=len(dataset.labels))
    return {str(label): int(count) for label, count in zip(dataset.labels, counts, strict=True)}


def _imbalance(dataset: Dataset) -> tuple[Finding, ...]:
    if not dataset.targets:
        return _imbalance_of(dataset.target, _class_counts(dataset))
    found: tuple[Finding, ...] = ()
    for place, target in enumerate(dataset.targets):
        if target.task == "classify":
            own = dataset.y[~np.isnan(dataset.y[:, place]), place].astype(np.int64)
            counts = np.bincount(own, minlength=len(target.labels)).tolist()
            told = _imbalance_of(target.name, dict(zip(map(str, target.labels), counts, strict=True)))
            found += tuple(replace(each, message=f"{target.name}: {each.message}") for each in told)
    return found


def _imbalance_of(name: str, counts: Mapping[str, int]) -> tuple[Finding, ...]:
    if not counts or min(counts.values()) * 10 > max(counts.values()):
        return ()
    smallest = min(counts, key=lambda label: counts[label])
    share = counts[smallest] / sum(counts.values())
    message = f"the classes are unbalanced: {smallest} has {share:.2%} of the rows; accuracy alone misleads"
    return (Finding("imbalance", "info", name, message, {"share": share, "rows": counts[smallest]}),)


def _thin(series: pl.Series, most: int) -> pl.Series:
    """Return at most about `most` evenly spaced cells."""
    return series if len(series) <= most else series.gather_every(len(series) // most)


def _short(value: object) -> str:
    return str(value)[:80]
