import asyncio
import base64
import io
import json

import pytest
from PIL import Image

from headway.serving.limits import Limits
from headway.serving.observing import Choice
from tests.serving.conftest import PREDICT, Asker, Notes, make_service


def test_rows_are_answered_in_order_with_probabilities_that_sum_to_one(ask):
    answer = ask.predict([{"a": 3, "b": 0}, {"a": -3, "b": 0}, {"a": "1,000", "b": None}])
    assert answer.status_code == 200
    body = answer.json()
    assert [each["prediction"] for each in body["predictions"]] == ["好评", "差评", "好评"]
    assert body["model"] == "numbers"
    assert body["request_id"] == answer.headers["x-request-id"]
    for each in body["predictions"]:
        assert sum(each["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert each["confidence"] == max(each["probabilities"].values())


def test_a_wellformed_request_id_is_kept_and_another_is_not(ask):
    body = {"rows": [{"a": 1, "b": 2}]}
    assert ask("POST", PREDICT, json=body, headers={"x-request-id": "shop-17"}).json()["request_id"] == "shop-17"
    assert ask("POST", PREDICT, json=body, headers={"x-request-id": "a b\u00e9".encode()}).json()["request_id"] != "a b"


def test_every_bad_cell_is_named_by_row_field_expected_and_got(ask):
    answer = ask.predict([{"a": 1, "b": 2}, {"a": "many", "b": [1]}, {"a": {}, "b": 1}])
    assert answer.status_code == 422
    problems = answer.json()["error"]["problems"]
    assert [(each["row"], each["field"]) for each in problems] == [(1, "a"), (1, "b"), (2, "a")]
    assert problems[0]["got"] == "'many'"
    assert "a number" in problems[0]["expected"]


def test_with_partial_the_sound_rows_are_answered(ask):
    body = ask.predict([{"a": 1, "b": 2}, {"a": "many", "b": 0}, {"a": 3, "b": 0}], partial=True).json()
    first, second, third = body["predictions"]
    assert (first["prediction"], third["prediction"]) == ("差评", "好评")
    assert second["error"]["problems"][0]["row"] == 1


def test_errors_of_single_rows_are_told_in_the_language_that_is_asked_for(ask):
    asked = {"rows": [{"a": "many", "b": 0}], "partial": True}
    for headers, expected in (({"accept-language": "zh-CN"}, "的数字，或空单元格"), ({}, "a number")):
        (told,) = ask("POST", PREDICT, json=asked, headers=headers).json()["predictions"]
        (problem,) = told["error"]["problems"]
        assert expected in problem["expected"]
        assert (problem["row"], problem["field"], problem["got"]) == (0, "a", "'many'")


def test_near_misses_of_a_model_and_of_a_short_chinese_column_are_told():
    ask = Asker(make_service("mixed"))
    (told,) = ask.predict([{"n": 1, "when": None, "city": "x"}], model="mixde").json()["error"]["problems"]
    assert told["next"] == "did you mean 'mixed'?"
    ask = Asker(make_service("texts"))
    (told,) = ask.predict([{"reviwe": "x"}]).json()["error"]["problems"]
    assert told["next"] == "did you mean 'review' where you wrote 'reviwe'?"


def test_partial_also_holds_where_most_rows_are_bad(ask):
    rows = [{"a": i if i % 50 == 0 else "x", "b": "y" if i % 50 else 0} for i in range(300)]
    found = ask.predict(rows, partial=True).json()["predictions"]
    assert [i for i, each in enumerate(found) if "prediction" in each] == [0, 50, 100, 150, 200, 250]
    assert len(ask.predict(rows).json()["error"]["problems"]) == 100


def test_one_bad_request_in_a_batch_spoils_no_other():
    service = make_service("numbers")

    async def all_at_once():
        import httpx

        transport = httpx.ASGITransport(app=service)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            rows = [{"a": 1, "b": 0}, {"a": "many", "b": 0}, {"a": -1, "b": 0}, {"b": 0}]
            return await asyncio.gather(*(client.post(PREDICT, json={"rows": [row]}) for row in rows))

    answers = asyncio.run(all_at_once())
    assert [answer.status_code for answer in answers] == [200, 422, 200, 422]
    assert answers[3].json()["error"]["problems"][0]["field"] == "a"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "not JSON"),
        (b"[]", 422, "body: expected an object"),
        (b"{}", 422, "rows: expected a list"),
        (b'{"rows": []}', 422, "rows: expected a list"),
        (b'{"rows": [1]}', 422, "rows[0]: expected an object"),
        (b'{"rows": [{"a": 1, "b": 1}], "modle": "x"}', 422, "did you mean 'model'?"),
        (b'{"rows": [{"a": 1, "b": 1}], "model": "x"}', 404, "'numbers'"),
        (b'{"rows": [{"a": 1, "b": 1}], "timeout": 0}', 422, "seconds above 0"),
        (b'{"rows": [{"a": 1, "b": 1}], "timeout": true}', 422, "seconds above 0"),
        (b'{"rows": [{"A": 1, "b": 1}]}', 422, "did you mean 'a' where you wrote 'A'?"),
        (b'{"rows": [{"a": NaN, "b": 1}]}', 400, "not JSON"),
    ],
)
def test_wrong_bodies_are_told_what_is_wrong(ask, body, status, words):
    answer = ask("POST", PREDICT, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    error = answer.json()["error"]
    assert words in error["message"] + error.get("next", "") + json.dumps(error.get("problems", []), ensure_ascii=False)


def test_bounds_of_rows_and_bodies():
    ask = Asker(make_service("numbers", limits=Limits(rows=3, body_bytes=500)))
    assert ask.predict([{"a": 1, "b": 2}] * 3).status_code == 200
    assert ask.predict([{"a": 1, "b": 2}] * 4).status_code == 413
    answer = ask("POST", PREDICT, content=b" " * 501, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "too_large")


def test_other_media_types_methods_and_paths(ask):
    assert ask("POST", PREDICT, data={"a": "1"}).status_code == 415
    assert ask("GET", PREDICT).headers["allow"] == "POST"
    assert ask("GET", "/v2/predict").status_code == 404


def test_many_rows_take_turns_and_keep_their_order_and_numbers():
    ask = Asker(make_service("numbers", limits=Limits(batch_rows=4)))
    body = ask.predict([{"a": i - 10, "b": 0} for i in range(21)]).json()
    assert [each["prediction"] for each in body["predictions"]] == ["差评"] * 11 + ["好评"] * 10
    problems = ask.predict([{"a": "x" if i in {3, 9} else 1, "b": 0} for i in range(21)]).json()["error"]["problems"]
    assert [each["row"] for each in problems] == [3, 9]


def test_a_full_queue_is_answered_by_429_and_when_to_come_back():
    service = make_service("numbers", limits=Limits(queue_rows=8))
    service.registry.get("numbers").batcher.waiting_rows = 8
    service.registry.get("numbers").batcher._queue.append(None)
    answer = Asker(service).predict([{"a": 1, "b": 1}])
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_pictures_come_as_base64_or_data_urls_and_never_as_paths(tmp_path):
    ask = Asker(make_service("pictures"))
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (90, 90, 90)).save(buffer, "PNG")
    text = base64.b64encode(buffer.getvalue()).decode()
    body = ask.predict([{"photo": text}, {"photo": f"data:image/png;base64,{text}"}, {"photo": None}]).json()
    assert [each["prediction"] for each in body["predictions"]] == [90.0, 90.0, 0.0]
    secret = tmp_path / "secret.png"
    secret.write_bytes(buffer.getvalue())
    answer = ask.predict([{"photo": str(secret)}])
    assert answer.status_code == 422
    assert "base64" in answer.json()["error"]["message"]
    broken = base64.b64encode(b"no picture").decode()
    assert ask.predict([{"photo": broken}]).status_code == 422


def test_a_form_with_files_is_one_row_or_several():
    ask = Asker(make_service("pictures"))
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9), (50, 50, 50)).save(buffer, "PNG")
    files = [("photo", ("a.png", buffer.getvalue(), "image/png"))]
    assert ask("POST", PREDICT, files=files).json()["predictions"] == [{"prediction": 50.0}]
    assert len(ask("POST", PREDICT, files=files * 3).json()["predictions"]) == 3
    broken = {"content-type": "multipart/form-data"}
    assert ask("POST", PREDICT, content=b"x", headers=broken).status_code == 400


def test_labels_that_are_no_text_keep_their_type():
    prediction = Asker(make_service("mixed")).predict([{"n": 2, "when": "2026-01-31", "city": "北京"}]).json()
    assert prediction["predictions"][0]["prediction"] is True
    assert set(prediction["predictions"][0]["probabilities"]) == {"true", "false"}


def test_values_are_sent_with_the_digits_they_have():
    assert Asker(make_service("values")).predict([{"a": 0.1}]).json()["predictions"] == [{"prediction": 0.2}]


def test_the_observer_hears_of_answers_and_refusals_and_cannot_harm():
    notes = Notes()
    ask = Asker(make_service("numbers", observer=notes))
    ask.predict([{"a": 1, "b": 0}], user="ann")
    ask.predict([{"a": "x", "b": 0}])
    served, failed = notes.events
    assert (served.name, served.user, served.rows, len(served.answers)) == ("numbers", "ann", [{"a": 1, "b": 0}], 1)
    assert served.seconds > 0
    assert (failed.status, failed.kind) == (422, "wrong_input")
    notes.events = None
    assert ask.predict([{"a": 1, "b": 0}]).status_code == 200
    assert ask.service.telemetry.read("observer_errors") == 1


def test_a_router_picks_the_answering_one_and_shadows_only_listen():
    class Second:
        def pick(self, name, user, request_id):
            return Choice("values", "b", ("numbers",))

    notes = Notes()
    service = make_service("numbers", "values", observer=notes, router=Second())

    async def ask():
        import httpx

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=service), base_url="http://localhost") as client:
            answer = await client.post(PREDICT, json={"rows": [{"a": 2, "b": 1}], "model": "numbers"})
            await asyncio.gather(*service._tasks)
            return answer

    assert asyncio.run(ask()).json()["model"] == "values"
    assert [(event.name, event.arm, event.shadow) for event in notes.events] == [
        ("values", "b", False),
        ("numbers", "b", True),
    ]


class Shadowed:
    """Lets "values" answer while `shadow` listens."""

    def __init__(self, shadow):
        self.choice = Choice("values", "e/old", (shadow,))

    def pick(self, name, user, request_id):
        return self.choice


def ask_with_shadow(service, **request):
    """Ask, and wait until the shadow is done."""

    async def ask():
        import httpx

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=service), base_url="http://localhost") as client:
            answer = await client.post(PREDICT, **request)
            await asyncio.gather(*service._tasks)
            return answer

    return asyncio.run(ask())


def test_a_shadow_that_cannot_answer_is_told_of_and_harms_nobody():
    notes = Notes()
    service = make_service("values", "numbers", observer=notes, router=Shadowed("numbers"))
    answer = ask_with_shadow(service, json={"rows": [{"a": 1}], "user": "ann"})  # it reads a column b
    assert answer.json()["predictions"] == [{"prediction": 2.0}]
    _, failed = notes.events
    assert (failed.name, failed.status, failed.arm, failed.user) == ("numbers", 422, "e/old", "ann")
    assert failed.shadow
    service.registry.get("numbers").batcher.answer = None  # it is broken
    ask_with_shadow(service, json={"rows": [{"a": 1, "b": 2}]})
    assert (notes.events[-1].status, notes.events[-1].shadow) == (500, True)
    assert service.telemetry.read("observer_errors") == 0


def test_a_shadow_answers_the_rows_that_were_answered():
    notes = Notes()
    service = make_service("values", "numbers", observer=notes, router=Shadowed("numbers"))
    ask_with_shadow(service, json={"rows": [{"a": "x"}, {"a": 3, "b": 0}, {"a": -3, "b": 0}], "partial": True})
    shadow = notes.events[-1]
    assert (shadow.name, shadow.shadow, list(shadow.places)) == ("numbers", True, [1, 2])
    assert [answer["prediction"] for answer in shadow.answers] == ["好评", "差评"]


def test_a_shadow_listens_to_lines_too():
    notes = Notes()
    service = make_service("values", "numbers", observer=notes, router=Shadowed("numbers"))
    lines = b'{"a": 3, "b": 0}\n{\n{"a": -3, "b": 0}'
    ask_with_shadow(service, content=lines, headers={"content-type": "application/x-ndjson"})
    told = [(event.name, place) for event in notes.events for place in event.places if event.shadow]
    assert told == [("numbers", 0), ("numbers", 2)]


def test_a_failure_tells_which_arm_it_was_and_whose_request():
    class Second:
        def pick(self, name, user, request_id):
            return Choice("values", "e/b")

    notes = Notes()
    ask = Asker(make_service("numbers", "values", observer=notes, router=Second()))

    async def crash(*arguments, **named):
        raise RuntimeError("the model is broken")

    ask.service.registry.get("values").batcher.answer = crash
    answer = ask("POST", PREDICT, json={"rows": [{"a": 1}]}, params={"model": "numbers"}, headers={"x-user-id": "ann"})
    assert answer.status_code == 500
    (failed,) = notes.events
    assert (failed.status, failed.name, failed.arm, failed.user) == (500, "values", "e/b", "ann")


def test_a_user_named_by_the_header_is_told_as_one_in_the_body():
    notes = Notes()
    ask = Asker(make_service("numbers", observer=notes))
    ask("POST", PREDICT, json={"rows": [{"a": 1, "b": 0}]}, headers={"x-user-id": "ann"})
    ask("POST", PREDICT, json={"rows": [{"a": 1, "b": 0}], "user": "bob"}, headers={"x-user-id": "ann"})
    assert [event.user for event in notes.events] == ["ann", "bob"]


def test_a_clock_that_jumps_changes_nothing(ask, monkeypatch):
    import time

    real = time.time
    for jump in (-86_400 * 3650, 86_400 * 3650):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        assert ask.predict([{"a": 1, "b": 0}], timeout=1).status_code == 200


def test_several_targets_are_answered_each_under_its_name():
    ask = Asker(make_service("several"))
    (answer,) = ask.predict([{"a": 3, "b": 1}]).json()["predictions"]
    assert answer["prediction"] == {"side": True, "far": 6.0}
    assert answer["targets"]["far"] == {"prediction": 6.0}
    assert answer["targets"]["side"]["confidence"] == pytest.approx(0.880797)
    assert list(answer["targets"]["side"]["probabilities"]) == ["false", "true"]
