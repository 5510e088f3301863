import pytest

from headway.cli.compress import read_wishes, tabulate
from headway.errors import ProjectError
from tests.report.sections.test_compression import CHOSEN, ORIGINAL, REFUSED


def test_wishes_are_read_as_people_write_them():
    found = read_wishes("1%", "2m", "quantise, distil")
    assert (found.drop, found.time, found.methods) == (0.01, 120.0, ("quantise", "distil"))
    assert read_wishes("0.005", "90", "prune").drop == 0.005


def test_wrong_wishes_are_all_told_at_once():
    with pytest.raises(ProjectError) as raised:
        read_wishes("much", "soon", "magic")
    assert {problem.where for problem in raised.value.problems} == {"--drop", "--budget", "--methods"}


def test_the_table_has_a_line_for_each_variant():
    table = tabulate((ORIGINAL, CHOSEN, REFUSED), "zh")
    assert table.row_count == 3


def test_what_is_no_run_is_told(headway, tmp_path):
    done = headway("compress", tmp_path)
    assert done.returncode == 1
    assert "not a finished run" in done.stderr
