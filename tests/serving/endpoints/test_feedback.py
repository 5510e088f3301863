import json

import pytest

from headway.serving.observing import Silent
from tests.serving.conftest import Asker, make_service


class Keeper(Silent):
    def __init__(self):
        self.kept = []

    def told(self, event):
        self.kept.append(event)
        return True


def test_feedback_reaches_the_observer_with_the_models_own_label():
    keeper = Keeper()
    ask = Asker(make_service("mixed", observer=keeper))
    answer = ask("POST", "/v1/feedback", json={"request_id": "r1", "truth": "True", "row": 2, "user": "ann"})
    assert (answer.status_code, answer.json()) == (202, {"kept": True, "request_id": "r1"})
    (told,) = keeper.kept
    assert (told.truth, told.row, told.user, told.name) == (True, 2, "ann", "mixed")
    assert ask.service.telemetry.read("feedback") == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"truth": "good"}, "request_id"),
        ({"request_id": "r", "truth": "god"}, "truth"),
        ({"request_id": "r", "truth": "good", "row": -1}, "row"),
        ({"request_id": "r", "truth": "good", "row": True}, "row"),
        ({"request_id": "r", "truth": "good", "rwo": 1}, "rwo"),
        ({"request_id": "r" * 65, "truth": "good"}, "request_id"),
        ({"request_id": "r", "value": "12.5"}, "value"),
        ({"request_id": "r", "value": True}, "value"),
        ({"request_id": "r", "value": 1e301}, "value"),
        ({"request_id": "r", "value": 1, "truth": "god"}, "truth"),
        ({"request_id": "r"}, "truth"),
        ([], "body"),
    ],
)
def test_wrong_feedback_is_told_what_is_wrong(body, field):
    answer = Asker(make_service("texts"))("POST", "/v1/feedback", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["problems"][0]["field"] == field


def test_what_an_answer_was_worth_is_taken_with_the_truth_or_without():
    keeper = Keeper()
    ask = Asker(make_service("texts", observer=keeper))
    for body in ({"value": 12.5}, {"value": 0, "truth": "good"}, {"value": None, "truth": "bad"}):
        assert ask("POST", "/v1/feedback", json={"request_id": "r", **body}).status_code == 202
    assert [(told.truth, told.value) for told in keeper.kept] == [(None, 12.5), ("good", 0.0), ("bad", None)]


def test_values_are_corrected_by_numbers():
    ask = Asker(make_service("values"))
    assert ask("POST", "/v1/feedback", json={"request_id": "r", "truth": 3}).status_code == 202
    assert ask("POST", "/v1/feedback", json={"request_id": "r", "truth": "3"}).status_code == 422


def test_the_right_answers_for_some_of_several_targets_are_taken():
    keeper = Keeper()
    ask = Asker(make_service("several", observer=keeper))
    assert ask("POST", "/v1/feedback", json={"request_id": "r", "truth": {"side": "True"}}).status_code == 202
    assert ask("POST", "/v1/feedback", json={"request_id": "r", "truth": {"far": 2, "side": False}}).status_code == 202
    assert [told.truth for told in keeper.kept] == [{"side": True}, {"far": 2.0, "side": False}]


@pytest.mark.parametrize(
    ("truth", "field", "words"),
    [
        (True, "truth", "an object of targets"),
        ({}, "truth", "an object of targets"),
        ({"sid": True}, "truth.sid", "did you mean 'side'?"),
        ({"far": "much"}, "truth", "a number"),
    ],
)
def test_wrong_feedback_on_several_targets_is_told_what_is_wrong(truth, field, words):
    answer = Asker(make_service("several"))("POST", "/v1/feedback", json={"request_id": "r", "truth": truth})
    assert answer.status_code == 422
    (problem,) = answer.json()["error"]["problems"]
    assert problem["field"] == field
    assert words in json.dumps(problem)
