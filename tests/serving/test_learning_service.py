"""The service with all that learns from production, as `headway serve --store` starts it."""

import time

import httpx
import pytest

from headway.serving.store.opening import open_store
from headway.serving.store.reading import read_stored


@pytest.mark.slow
def test_answers_and_feedback_are_kept_and_counted(running, tiny_package, tmp_path):
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    service = running(tiny_package, "--workers", "1", "--store", store)
    answer = httpx.post(f"{service.url}/v1/predict", json={"rows": [{"a": 1.0, "b": 2.0}], "user": "王芳"}).json()
    told = {"request_id": answer["request_id"], "truth": "好评"}
    deadline = time.monotonic() + 30
    while not httpx.post(f"{service.url}/v1/feedback", json=told).json()["kept"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    figures = httpx.get(f"{service.url}/metrics").text
    assert 'headway_learn_waiting{lane="store"}' in figures
    assert service.stop() == 0
    kept = read_stored(open_store(store, create=False))
    assert (kept.predictions, kept.feedback, kept.subjects) == (1, 1, 1)
