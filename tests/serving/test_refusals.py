"""Refusals in words for people: English for programs, Chinese where it is asked for."""

import ast
import re
from pathlib import Path

import pytest

import headway.serving
from headway.serving.refusals import (
    FieldProblem,
    RefusalError,
    no_painter,
    no_writer,
    over_rate,
    tell,
    too_busy,
    too_late,
    wrong_input,
)
from tests.report.test_translation import read

SOURCE = Path(headway.serving.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
COMMANDS = ("7", "headway ", "GET ")
WRONG = {"json": {"rows": [{"a": "many", "b": 1}]}}


def test_programs_are_answered_in_english(ask):
    error = ask("POST", "/v1/predict", **WRONG).json()["error"]
    assert error["problems"][0]["expected"].startswith("a number such as")
    assert error["message"].startswith("rows[0].a: expected a number")
    assert "content-language" not in ask("POST", "/v1/predict", **WRONG).headers


@pytest.mark.parametrize("accepted", ["zh-CN", "zh-TW,zh;q=0.9,en;q=0.8"])
def test_who_asks_for_chinese_is_refused_in_chinese(ask, accepted):
    answer = ask("POST", "/v1/predict", headers={"accept-language": accepted}, **WRONG)
    error, plain = answer.json()["error"], ask("POST", "/v1/predict", **WRONG).json()["error"]
    assert answer.headers["content-language"] == "zh-CN"
    expected = '如 12.5 或 "1,250" 的数字，或空单元格'
    assert error["problems"] == [{"row": 0, "field": "a", "expected": expected, "got": "'many'"}]
    assert error["message"] == "rows[0].a：应为：如 12.5 或 \"1,250\" 的数字，或空单元格；实际为：'many'"
    assert error["type"] == plain["type"] == "wrong_input"
    assert ask("POST", "/v1/predict?lang=zh", **WRONG).json()["error"]["problems"] == error["problems"]


def test_english_before_chinese_is_english(ask):
    answer = ask("GET", "/nothing", headers={"accept-language": "en-GB,zh;q=0.5"})
    assert answer.json()["error"]["message"] == "there is nothing at '/nothing'"


@pytest.mark.parametrize("refusal", [
    too_busy(2), over_rate("5/s", 1), too_late(3),
    wrong_input([FieldProblem(None, "rows", "a list of one object or more: column -> cell", "the fields 'row'")] * 3),
])  # fmt: skip
def test_each_kind_of_refusal_is_told_in_chinese(refusal):
    told = refusal.as_json("zh")
    assert CHINESE.search(told["message"])
    assert CHINESE.search(told.get("next", "请"))
    assert told["type"] == refusal.kind


def test_what_a_client_sent_is_never_translated():
    assert tell("'true or false'", "zh") == "'true or false'"
    assert RefusalError(422, "wrong_input", "").as_json("zh")["message"] == ""


def test_what_the_service_refuses_is_known_in_chinese():
    found = {words for path in SOURCE.rglob("*.py") for words in refused(path)}
    assert len(found) > 50
    assert sorted(words for words in found if tell(words, "zh") == words) == []


def refused(path):
    """Return what the refusals of a source file say in their own calls, every filled place as 7."""
    places = {"RefusalError": (2,), "FieldProblem": (2, 3, 4), "bad": (1,)}
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in places:
            parts = [node.args[place] for place in places[node.func.id] if place < len(node.args)]
            parts += [each.value for each in node.keywords if each.arg in {"next", "next_step"}]
            found |= {words for part in parts for words in read(part)}
    return {words for words in found if " " in words.replace("7", "").strip() and not words.startswith(COMMANDS)}


def test_where_nothing_writes_no_name_is_asked_for():
    assert no_writer("", ()).as_json("zh")["message"] == "这里没有会写文本的模型"
    assert no_painter("x", ()).message == "no model draws pictures here"
    assert "there is: a" in no_writer("b", ["a"]).message
