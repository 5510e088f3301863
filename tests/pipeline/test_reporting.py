import pytest

from headway.errors import RunError
from headway.pipeline.reporting import report_again
from headway.pipeline.run import run
from tests.pipeline.projects import table_project


def test_a_report_is_written_again_in_another_language(tmp_path):
    done = run(table_project(tmp_path), out=tmp_path / "runs")
    english = done.report.read_text()
    assert report_again(done.folder, lang="zh") == done.report
    assert "模型" in done.report.read_text()
    assert "模型" not in english
    report_again(done.folder.parent / "latest", lang="en")
    assert len(done.report.read_text()) == pytest.approx(len(english), rel=0.01)


def test_a_folder_without_a_run_has_no_report(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        report_again(tmp_path, lang="en")
