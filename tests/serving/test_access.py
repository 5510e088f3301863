import pytest

from headway.serving.access import Access
from headway.serving.keys import KeyRing, add_key
from tests.serving.conftest import PREDICT, Asker, make_service

ROWS = {"rows": [{"a": 1, "b": 0}]}


@pytest.fixture
def guarded(tmp_path):
    path = tmp_path / "keys.json"
    keys = {right: add_key(path, name=right, rights=(right,)) for right in ("predict", "deploy")}
    keys["slow"] = add_key(path, name="slow", rate="2/h")
    return Asker(make_service("numbers", access=Access(KeyRing(path)))), keys


def test_a_key_is_needed_and_may_come_in_two_headers(guarded):
    ask, keys = guarded
    answer = ask("POST", PREDICT, json=ROWS)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="headway"')
    assert ask("POST", PREDICT, json=ROWS, headers={"authorization": "Bearer nonsense"}).status_code == 401
    assert ask("POST", PREDICT, json=ROWS, headers={"authorization": f"bearer {keys['predict']}"}).status_code == 200
    assert ask("POST", PREDICT, json=ROWS, headers={"x-api-key": keys["predict"]}).status_code == 200
    assert ask("GET", "/metrics").status_code == 401
    assert ask("GET", "/openapi.json").status_code == 401
    assert ask("GET", "/health").status_code == 200


def test_a_key_may_only_what_it_may(guarded):
    ask, keys = guarded
    assert ask("POST", PREDICT, json=ROWS, headers={"x-api-key": keys["deploy"]}).status_code == 403
    assert ask("POST", "/v1/deploy", content=b"x", headers={"x-api-key": keys["predict"]}).status_code == 403


def test_a_key_beyond_its_rate_is_told_when_to_come_back(guarded):
    ask, keys = guarded
    headers = {"x-api-key": keys["slow"]}
    assert [ask("POST", PREDICT, json=ROWS, headers=headers).status_code for _ in range(2)] == [200, 200]
    answer = ask("POST", PREDICT, json=ROWS, headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "over_rate")
    assert int(answer.headers["retry-after"]) > 1


def test_pages_of_others_are_refused_and_allowed_ones_get_their_headers():
    ask = Asker(make_service("numbers", access=Access(origins=("https://shop.example",))))
    assert ask("POST", PREDICT, json=ROWS, headers={"origin": "https://evil.example"}).status_code == 403
    assert ask("POST", PREDICT, json=ROWS, headers={"origin": "http://localhost"}).status_code == 200
    answer = ask("POST", PREDICT, json=ROWS, headers={"origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    preflight = ask("OPTIONS", PREDICT, headers={"origin": "https://shop.example"})
    assert (preflight.status_code, "POST" in preflight.headers["access-control-allow-methods"]) == (204, True)
    plain = Asker(make_service("numbers"))("POST", PREDICT, json=ROWS)
    assert not [name for name in plain.headers if name.startswith("access-control")]


def test_a_local_service_answers_to_local_names_only():
    ask = Asker(make_service("numbers", access=Access(hosts=frozenset({"localhost", "::1"}))))
    assert ask("GET", "/health", headers={"host": "localhost:8000"}).status_code == 200
    assert ask("GET", "/health", headers={"host": "[::1]:8000"}).status_code == 200
    assert ask("GET", "/health", headers={"host": "evil.example"}).status_code == 403


def test_without_keys_only_this_machine_may_deploy():
    ask = Asker(make_service("numbers"))
    assert ask("POST", "/v1/deploy", content=b"x").status_code == 501  # httpx says it is 127.0.0.1

    async def far(scope, receive, send):
        await ask.service({**scope, "client": ("10.0.0.9", 1)}, receive, send)

    assert Asker(far)("POST", "/v1/deploy", content=b"x").status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_without_keys_a_deploy_through_a_proxy_is_refused(header):
    answer = Asker(make_service("numbers"))("POST", "/v1/deploy", content=b"x", headers={header: "10.0.0.9"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "not_allowed")
    assert "proxy" in answer.json()["error"]["message"]


def test_without_keys_nobody_may_deploy_to_a_service_that_others_reach():
    ask = Asker(make_service("numbers", access=Access(is_local=False)))
    assert ask("POST", "/v1/deploy", content=b"x").status_code == 403
    assert ask("POST", PREDICT, json=ROWS).status_code == 200
