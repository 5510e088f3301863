"""Small projects for the pipeline's tests."""

from pathlib import Path

import numpy as np
import polars as pl

from headway.project import build
from headway.project.schema import Project


def write_table(folder: Path, rows: int = 400, seed: int = 0) -> Path:
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(2, rows)).round(3)
    kind = generator.choice(["red", "green", "blue"], rows)
    score = 2 * first - second + 2 * (kind == "red") + generator.logistic(size=rows)
    path = folder / "table.csv"
    pl.DataFrame(
        {"first": first, "second": second, "kind": kind, "label": np.where(score > 0.5, "yes", "no")}
    ).write_csv(path)
    return path


def table_project(folder: Path, **settings: object) -> Project:
    write_table(folder)
    options = {"models": ["linear"], "budget": {"time": 60}, "name": "table", **settings}
    return build(data="table.csv", target="label", folder=folder, **options)
