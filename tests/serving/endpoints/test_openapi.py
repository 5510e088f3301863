"""The document, and whether the service keeps what it promises: examples work, and wrong requests get right errors."""

import asyncio
import json

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.serving.endpoints import ENDPOINTS
from headway.serving.endpoints.openapi import make_document
from tests.serving.conftest import Asker, make_service

SERVICE = make_service("mixed", "texts", "values", "pictures", "several")
DOCUMENT = make_document(SERVICE)


@pytest.mark.parametrize("name", ["mixed", "texts", "values", "pictures", "several"])
def test_the_example_of_each_package_is_answered_as_the_document_says(name):
    post = DOCUMENT["paths"]["/v1/predict"]["post"]
    example = post["requestBody"]["content"]["application/json"]["examples"][name]["value"]
    body = post["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.validate(example, resolved(body))
    answer = Asker(SERVICE)("POST", "/v1/predict", json=example)
    assert answer.status_code == 200, answer.text
    jsonschema.validate(answer.json(), post["responses"]["200"]["content"]["application/json"]["schema"])


def test_the_document_names_every_endpoint_but_those_of_the_page():
    service = make_service("numbers")
    service.writers["writer"] = service.painters["painter"] = None  # only their names are asked
    document = make_document(service)
    assert document["openapi"] == "3.1.0"
    assert document["components"]["schemas"]["Row-0"]["required"] == ["a", "b"]
    routed = {(path.replace("*", "{model}"), method.lower()) for path, methods in ENDPOINTS.items()
              for method, place in methods.items() if not place.startswith("page:")}  # fmt: skip
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == routed


def test_parameters_and_headers_are_named_and_do_what_is_said():
    post = DOCUMENT["paths"]["/v1/predict"]["post"]
    assert [(each["in"], each["name"]) for each in post["parameters"]] == [
        ("query", "model"), ("header", "X-User-ID"), ("header", "X-Request-ID")]  # fmt: skip
    answers = post["responses"].items()
    assert {status for status, each in answers if "Retry-After" in each.get("headers", {})} == {"429", "503"}
    asked = {"params": {"model": "values"}, "headers": {"x-request-id": "mine"}, "json": {"rows": [{"a": 1}]}}
    answer = Asker(SERVICE)("POST", "/v1/predict", **asked).json()
    assert (answer["model"], answer["request_id"]) == ("values", "mine")
    SERVICE.is_draining = True
    try:
        assert int(Asker(SERVICE)("POST", "/v1/predict", **asked).headers["retry-after"]) >= 1
    finally:
        SERVICE.is_draining = False


def test_a_form_as_the_document_says_is_answered():
    form = DOCUMENT["components"]["schemas"]["Form-0"]
    assert form["required"] == ["n", "when", "city"]
    fields = {"n": "2", "when": "2026-01-31", "city": "Paris", "model": "mixed"}
    jsonschema.validate(fields, form)
    files = {name: (None, value) for name, value in fields.items()}
    assert Asker(SERVICE)("POST", "/v1/predict", files=files).status_code == 200
    picture = DOCUMENT["components"]["schemas"]["Form-3"]["properties"]["photo"]["anyOf"][0]
    assert picture["contentMediaType"] == "image/*"


def test_one_model_is_told_by_the_path_of_the_document():
    (parameter,) = DOCUMENT["paths"]["/v1/models/{model}"]["get"]["parameters"]
    found = Asker(SERVICE)("GET", f"/v1/models/{parameter['example']}").json()
    assert found["name"] == found["id"] == parameter["example"]


def resolved(schema):
    return {**schema, "components": DOCUMENT["components"]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CELLS = JSON | st.sampled_from([1e999, -0.0, "1e999", "NaN", "2026-13-45", "", " ", "x" * 5000, 10**400, "\ud800"])
ROWS = st.fixed_dictionaries({}, optional=dict.fromkeys(("n", "when", "city", "review", "a", "photo", "x"), CELLS))
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "rows": st.lists(ROWS, max_size=4) | JSON,
        "model": st.sampled_from(["mixed", "texts", "values", "pictures", "several", "none"]) | JSON,
        "user": JSON,
        "partial": JSON,
        "timeout": JSON,
        "further": JSON,
    },
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES | JSON)
def test_whatever_is_sent_is_answered_or_refused_as_the_document_says(body):
    check(dumped(body))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=200))
def test_bytes_that_are_no_json_are_refused(body):
    check(body)


def dumped(body):
    """JSON as a careless client writes it: lone surrogates, NaN and all."""
    return json.dumps(body, default=str).encode()


def check(body):
    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=SERVICE), base_url="http://localhost") as client:
            return await client.post("/v1/predict", content=body, headers={"content-type": "application/json"})

    answer = asyncio.run(ask())
    responses = DOCUMENT["paths"]["/v1/predict"]["post"]["responses"]
    assert str(answer.status_code) in responses
    assert answer.status_code != 500, (body, answer.text)
    if answer.status_code == 200:
        jsonschema.validate(answer.json(), responses["200"]["content"]["application/json"]["schema"])
    else:
        jsonschema.validate(answer.json(), DOCUMENT["components"]["schemas"]["Error"])
