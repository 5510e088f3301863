"""Requests made from the service's own OpenAPI document, against a real process."""

import random
from collections import Counter

import pytest

from benchmarks.fuzzing import fuzz, make_attempts, read_operations
from headway.serving.endpoints.openapi import make_document
from tests.serving.conftest import make_service

pytestmark = pytest.mark.slow


def test_all_that_breaks_the_document_is_refused_and_all_that_keeps_it_answered(running, tiny_package):
    service = running(tiny_package, "--workers", 1)
    seen = fuzz(service.url, 300)
    assert seen.unlike == []
    assert seen.hung == []
    assert seen.sound == 30
    assert seen.statuses.total() == 300


def test_every_operation_and_every_place_of_a_body_is_tried():
    operations = read_operations(make_document(make_service("mixed")))
    attempts = list(make_attempts(operations, 3000, random.Random(1)))
    wrong = [each for each in attempts if each.wrong]
    assert {(each.operation.method, each.operation.path) for each in wrong} >= {
        ("POST", "/v1/predict"), ("POST", "/v1/feedback"), ("GET", "/v1/models"), ("GET", "/health"),
    }  # fmt: skip
    broken = Counter(each.wrong for each in wrong)
    for place in ("body", "rows", "rows.*", "rows.*.n", "rows.*.when", "rows.*.city", "timeout", "user", "row", "note"):
        assert any(wrong.endswith(f" at {place}") for wrong in broken), place
    for kind in ("another type", "no rows", "a further field", "beyond maxItems", "beyond minimum", "NaN",
                 "nested deeply", "a huge number", "truncated JSON", "UTF-16", "content type text/plain",
                 "method DELETE"):  # fmt: skip
        assert any(wrong.startswith(kind) for wrong in broken), kind
