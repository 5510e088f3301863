import asyncio
from datetime import date

import numpy as np
import pytest
from PIL import Image

import headway
from headway.errors import InputError
from headway.serving.wire import ServiceError, to_json


def test_both_clients_get_the_same_answers(running, tiny_package):
    service = running(tiny_package, "--workers", 1)
    rows = [{"a": 2, "b": 0}, {"a": -2, "b": 0}]

    async def ask():
        async with headway.AsyncClient(service.url) as client:
            answers = await client.predict(rows)
            streamed = [answer async for answer in client.stream(rows * 300)]
            kept = await client.feedback(answers.request_id, "好评", value=0.0, user="ann")
            return answers, streamed, kept, await client.models()

    with headway.Client(service.url) as client:
        waiting = client.predict(rows)
        streamed = list(client.stream(dict(row) for row in rows * 300))
        assert client.feedback(waiting.request_id, "好评") is False
        assert client.feedback(waiting.request_id, value=12.5, user="ann") is False
        with pytest.raises(InputError, match="expected: a cell of this column"):
            client.predict([{"a": 1}])
        assert "error" in client.predict([{"a": 1, "b": 1}, {"a": "x", "b": 0}], partial=True).predictions[1]
        with pytest.raises(InputError, match="one of the labels"):
            client.feedback("x", "unknown")
    answers, async_streamed, kept, models = asyncio.run(ask())
    assert answers.predictions == waiting.predictions
    assert [each["prediction"] for each in waiting.predictions] == ["好评", "差评"]
    assert streamed == async_streamed
    assert len(streamed) == 600
    assert kept is False
    assert models[0]["name"] == "numbers"


def test_a_service_that_is_not_there_is_told_with_the_next_step():
    with headway.Client("http://127.0.0.1:9", tries=2) as client, pytest.raises(ServiceError, match="headway serve"):
        client.models()


def test_cells_become_what_json_can_hold(tmp_path):
    assert to_json(np.float32(0.5)) == 0.5
    assert to_json(np.int64(3)) == 3
    assert to_json(float("nan")) is None
    assert to_json(date(2026, 1, 31)) == "2026-01-31"
    assert to_json(b"ab") == "YWI="
    image = Image.new("L", (2, 2))
    image.save(tmp_path / "a.png")
    assert to_json(image).startswith("iVBOR")
    assert to_json(tmp_path / "a.png").startswith("iVBOR")
