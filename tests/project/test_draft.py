import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from headway.project import read
from headway.project.draft import Choice, Draft, quote, write_draft


def draft(**changes):
    keys = {
        "command": "headway init 评论.csv",
        "name": "评论",
        "data": Choice("data", "评论.csv", "CSV, UTF-8"),
        "target": Choice("target", "标签", "its name says so"),
        "task": Choice("task", "classify", "2 different values"),
        "inputs": [Choice("评论", "text", "long\nand with # a sign"), Choice("no", "number", "numbers")],
        "ignore": [Choice("id: 1", "", "an identifier")],
        "remarks": ["47 texts stand under both labels"],
    }
    return Draft(**{**keys, **changes})


def test_a_draft_reads_back_as_a_project(tmp_path):
    path = tmp_path / "headway.yaml"
    path.write_text(write_draft(draft()), encoding="utf-8")
    project = read(path)
    assert (project.data, project.target, project.task) == ("评论.csv", "标签", "classify")
    assert project.inputs == {"评论": "text", "no": "number"}
    assert project.ignore == ("id: 1",)
    assert project.budget.time == 300


def test_reasons_stand_beside_their_lines():
    lines = write_draft(draft()).splitlines()
    (line,) = [line for line in lines if line.startswith("  评论: text")]
    assert line.endswith("# long and with # a sign")
    assert "# Note: 47 texts stand under both labels" in lines


def test_commented_keys_are_real_keys(tmp_path):
    """Every key that the file offers as a comment is accepted once its # is taken off."""
    base = "\n".join(line for line in write_draft(draft()).splitlines() if not line.startswith("#"))
    offered = [line[2:] for line in write_draft(draft()).splitlines() if line.startswith("# ") and ": " in line]
    tried = 0
    for line in offered:
        if line.split(":")[0] in ("limits", "models", "metric", "test", "split", "training"):
            path = tmp_path / "headway.yaml"
            path.write_text(f"{base}\n{line}\n", encoding="utf-8")
            read(path)
            tried += 1
    assert tried == 6


@pytest.mark.parametrize("text", ["reviews.csv", "评论", "a b", "data/x-1.csv", "label"])
def test_plain_words_need_no_quotes(text):
    assert quote(text) == text


@pytest.mark.parametrize(
    "text", ["1", "true", "null", "a: b", "#x", "", " a", "- x", "a\nb", '"', "sqlite:///x?query=y", "2024-01-01"]
)
def test_others_get_them(text):
    assert quote(text).startswith('"')


@given(st.text(max_size=30).filter(lambda text: "\x7f" not in text and text.isprintable()))
def test_any_text_reads_back(text):
    assert YAML(typ="safe", pure=True).load(f"{quote(text)}: {quote(text)}") == {text: text}
