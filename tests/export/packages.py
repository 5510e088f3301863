"""Small real packages of every kind, for the tests of the exports."""

from pathlib import Path

from headway.package.writing import write_package
from headway.pipeline.packaging import describe_target
from headway.runtime.manifest import InputColumn, Manifest
from tests.models.test_contract import CARDS, SEVERAL, examples, fitted, fresh

LABELS = ("差评 bad", "fair", "good")


def family_package(folder: Path, family: str, kind: str = "classify", **changes: object) -> Path:
    """Fit `family` on a few rows that every kind of column tells something of, and package what comes out."""
    model = fitted(family, kind)
    rows = fresh(family, kind).rows
    expected = model.predict(rows)
    graph = model.graph()
    read = {name for feed in graph.feeds for name in feed.columns}
    inputs = tuple(
        InputColumn(column.name, column.modality, example=example_of(family, kind, column.name))
        for column in examples(kind, CARDS[family].modalities, 1).inputs
        if column.name in read
    )
    manifest = Manifest(
        name=f"{family} {kind}",
        task=kind,
        target="target",
        inputs=inputs,
        feeds=(),
        labels=LABELS if kind == "classify" else (),
        targets=tuple(describe_target(part) for part in SEVERAL.parts) if kind == "several" else (),
        winner=family,
        **changes,
    )
    columns = {name: rows[name].to_list() for name in rows.columns}
    return write_package(folder, graph, manifest, card="a card", columns=columns, expected=expected)


def example_of(family: str, kind: str, column: str) -> str | float | None:
    """Return a cell of a column as a manifest can hold it."""
    cell = next(cell for cell in fresh(family, kind).rows[column].to_list() if cell is not None)
    if isinstance(cell, bytes):
        return None
    return cell if isinstance(cell, str | float) else cell.isoformat()
