import json

from headway.serving.limits import Limits
from tests.serving.conftest import PREDICT, Asker, Notes, make_service

HEADERS = {"content-type": "application/x-ndjson"}


def stream(ask, lines):
    answer = ask("POST", PREDICT, content="\n".join(lines).encode(), headers=HEADERS)
    return answer, [json.loads(line) for line in answer.text.splitlines()]


def test_each_line_gets_its_answer_and_bad_ones_their_error(ask):
    lines = ['{"a": 1, "b": 0}', "", "{", "[1]", '{"a": "x", "b": 0}', '{"a": -1, "b": 0}']
    answer, found = stream(ask, lines)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [each.get("prediction") for each in found] == ["好评", None, None, None, "差评"]
    assert [each["error"]["type"] for each in found[1:4]] == ["not_json", "wrong_input", "wrong_input"]
    assert found[3]["error"]["problems"][0]["row"] == 3


def test_bad_lines_are_told_in_the_language_that_is_asked_for(ask):
    headers = {**HEADERS, "accept-language": "zh-CN"}
    lines = '{"a": "x", "b": 0}\n[1]\n{'
    answer = ask("POST", PREDICT, content=lines.encode(), headers=headers)
    cell, row, text = (json.loads(line)["error"] for line in answer.text.splitlines())
    assert cell["problems"][0]["expected"] == '如 12.5 或 "1,250" 的数字，或空单元格'
    assert row["problems"][0]["expected"] == "对象（列名 -> 单元格）"
    assert text["message"].startswith("请求正文不是 JSON")


def test_there_may_be_more_lines_than_rows_and_bytes_of_one_request():
    ask = Asker(make_service("numbers", limits=Limits(rows=10, body_bytes=200)))
    _, found = stream(ask, [json.dumps({"a": i % 2, "b": 0.5}) for i in range(5000)])
    assert [each["prediction"] for each in found] == ["差评", "好评"] * 2500


def test_an_empty_body_and_an_endless_line_are_refused():
    ask = Asker(make_service("numbers", limits=Limits(body_bytes=100)))
    assert stream(ask, [""])[0].status_code == 422
    assert stream(ask, ["x" * 101])[0].status_code in {400, 413, 200}


def test_the_observer_hears_of_every_line_by_its_number():
    notes = Notes()
    ask = Asker(make_service("numbers", observer=notes))
    lines = [json.dumps({"a": i % 2, "b": 0.5}) for i in range(200)]
    lines[70] = "{"
    stream(ask, lines)
    told = [place for event in notes.events for place in event.places]
    assert told == [place for place in range(200) if place != 70]
    assert all(len(event.rows) == len(event.answers) == len(event.places) for event in notes.events)


def test_lines_that_were_not_answered_in_time_do_not_count_as_answered():
    notes = Notes()
    ask = Asker(make_service("numbers", observer=notes, limits=Limits(timeout=1e-9)))
    _, found = stream(ask, ['{"a": 1, "b": 0}'])
    assert found[0]["error"]["type"] == "too_late"
    assert [(type(event).__name__, event.kind) for event in notes.events] == [("Failed", "too_late")]
