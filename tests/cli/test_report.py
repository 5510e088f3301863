import re

import pytest

from headway.pipeline.run import run
from tests.pipeline.projects import table_project


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("told")
    return run(table_project(place, models=["baseline"]), out=place / "runs").folder


@pytest.fixture(autouse=True)
def english(monkeypatch):
    """Put the language of the environment back, which the option before a command sets."""
    monkeypatch.setenv("HEADWAY_LANG", "en")


def written_in(folder):
    return re.search('<html lang="([a-z]+)', (folder / "report.html").read_text(encoding="utf-8"))[1]


def test_the_report_is_written_again_in_the_language_asked_for_before_or_after_the_command(command, folder):
    assert written_in(folder) == "en"
    for arguments, language in (
        (("--lang", "zh", "report", folder), "zh"),
        (("--lang", "en", "report", folder), "en"),
        (("report", folder, "--lang", "zh"), "zh"),
        (("--lang", "en", "report", folder, "--lang", "zh"), "zh"),
    ):
        assert command(*arguments).strip().endswith("report.html")
        assert written_in(folder) == language


def test_a_report_in_that_language_already_stays_as_it_is(command, folder):
    command("--lang", "zh", "report", folder)
    before = (folder / "report.html").stat().st_mtime_ns
    command("--lang", "zh", "report", folder)
    assert (folder / "report.html").stat().st_mtime_ns == before


def test_the_language_of_the_environment_writes_nothing_again(command, folder, monkeypatch):
    command("report", folder, "--lang", "en")
    monkeypatch.setenv("HEADWAY_LANG", "zh")
    command("report", folder)
    assert written_in(folder) == "en"
