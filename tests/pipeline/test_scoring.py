import numpy as np
import polars as pl
import pytest

from headway.pipeline.run import run
from headway.project import build


def test_intervals_around_values_cover_the_test_rows_as_they_promise(tmp_path):
    generator = np.random.default_rng(0)
    x = generator.normal(size=600)
    pl.DataFrame({"x": x, "y": 3 * x + generator.normal(size=600)}).write_csv(tmp_path / "rows.csv")
    project = build(
        data="rows.csv", target="y", folder=tmp_path, name="values", task="regress", models=["linear"],
        budget={"time": 60},
    )  # fmt: skip
    done = run(project, out=tmp_path / "runs")
    metrics = done.result["metrics"]
    assert metrics["coverage_80"] == pytest.approx(0.80, abs=0.12)
    assert metrics["coverage_95"] == pytest.approx(0.95, abs=0.06)
    assert metrics["width_80"] == pytest.approx(1.28, abs=0.3)
    assert metrics["width_95"] == pytest.approx(1.96, abs=0.5)
    assert "Inside the 95% interval" in done.report.read_text()
