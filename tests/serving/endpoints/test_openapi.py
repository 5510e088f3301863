"""The document, and whether the service keeps what it promises: examples work, and wrong requests get right errors."""

import asyncio
import json

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


def test_the_document_is_openapi_with_every_endpoint(ask):
    document = ask("GET", "/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert document["components"]["schemas"]["Row-0"]["required"] == ["a", "b"]
    assert set(document["paths"]) == {
        "/v1/predict", "/v1/feedback", "/v1/models", "/v1/models/{model}", "/v1/traffic", "/health", "/ready",
    }  # fmt: skip
    (parameter,) = document["paths"]["/v1/models/{model}"]["get"]["parameters"]
    found = ask("GET", f"/v1/models/{parameter['example']}").json()
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
