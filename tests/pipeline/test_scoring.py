import numpy as np
import polars as pl
import pytest

from headway.errors import ProjectError
from headway.pipeline.run import run
from headway.pipeline.scoring import check_descriptions
from headway.project import build
from headway.tasks import Classify, Regress


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


def test_descriptions_of_unknown_labels_are_all_told(tmp_path):
    project = build(data="a.csv", target="y", folder=tmp_path, descriptions={"godo": "nice", "bad": "awful", "zz": "?"})
    with pytest.raises(ProjectError) as caught:
        check_descriptions(project, Classify(("good", "bad")))
    first, second = caught.value.problems
    assert (first.where, first.fix) == ("descriptions.godo", 'did you mean "good"?')
    assert second.where == "descriptions.zz"
    with pytest.raises(ProjectError, match="no meaning"):
        check_descriptions(project, Regress())
    check_descriptions(build(data="a.csv", target="y", descriptions={"1": "yes"}), Classify((0, 1)))
