import json

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
