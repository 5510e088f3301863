import asyncio
import socket
import threading
from contextlib import contextmanager
from datetime import date

import numpy as np
import pytest
from PIL import Image

import headway
from headway.errors import InputError
from headway.serving.wire import ServiceError, to_json
from tests.serving.packages import open_tiny, write_tiny


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


def ask_waiting(url):
    with headway.Client(url) as client:
        return client.models()


async def _ask_async(url):
    async with headway.AsyncClient(url) as client:
        return await client.models()


def stream_waiting(url):
    with headway.Client(url) as client:
        return list(client.stream([{"a": 1, "b": 0}]))


async def _stream_async(url):
    async with headway.AsyncClient(url) as client:
        return [answer async for answer in client.stream([{"a": 1, "b": 0}])]


ASKS = {"waiting": ask_waiting, "async": lambda url: asyncio.run(_ask_async(url))}
STREAMS = {"waiting": stream_waiting, "async": lambda url: asyncio.run(_stream_async(url))}


@contextmanager
def answering(*answers):
    """An HTTP service that gives these answers, one a connection, "" for a connection that breaks; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def work():
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(answer.encode())

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=10)
        assert not thread.is_alive()


def reply(status, body, *headers):
    lines = (f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close", *headers)
    return "\r\n".join((*lines, "", body))


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_what_was_not_worked_on_is_asked_again(ask):
    full = reply(503, "{}", "retry-after: 0")
    with answering(full, "", reply(429, "{}", "retry-after: 0"), reply(200, '{"models": [1]}')) as url:
        assert ask(url) == [1]


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_an_answer_is_not_asked_for_again(ask):
    refused = '{"error": {"type": "failed", "message": "the model could not answer"}}'
    with answering(reply(500, refused)) as url, pytest.raises(ServiceError, match="could not answer"):
        ask(url)


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_the_last_refusal_is_told(ask):
    full = reply(503, '{"error": {"type": "full", "message": "too many rows wait"}}', "retry-after: 0")
    with answering(*[full] * 4) as url, pytest.raises(ServiceError, match="too many rows wait"):
        ask(url)


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_to_a_service_that_is_not_there_tells_the_next_step(stream):
    with pytest.raises(ServiceError, match="headway serve"):
        stream("http://127.0.0.1:9")


def test_cells_become_what_json_can_hold(tmp_path):
    assert to_json(np.float32(0.5)) == 0.5
    assert to_json(np.int64(3)) == 3
    assert to_json(np.array(3)) == 3
    assert to_json(date(2026, 1, 31)) == "2026-01-31"
    assert to_json(np.datetime64("2026-01-31T12:00:00.000000000")).startswith("2026-01-31T12:00:00")
    assert to_json(b"ab") == "YWI="
    image = Image.new("L", (2, 2))
    image.save(tmp_path / "a.png")
    assert to_json(image).startswith("iVBOR")
    assert to_json(tmp_path / "a.png").startswith("iVBOR")


@pytest.mark.parametrize("cell", [float("nan"), float("inf"), np.float32("nan"), np.float64("-inf"), np.float16("nan"),
                                  np.datetime64("NaT")])  # fmt: skip
def test_what_is_missing_or_not_finite_becomes_null(cell):
    assert to_json(cell) is None
    assert to_json({"far": cell, "near": [cell, np.int64(1)]}) == {"far": None, "near": [None, 1]}


def test_other_arrays_are_told_what_a_picture_is():
    with pytest.raises(InputError, match="height, width"):
        to_json(np.zeros(4, np.float32))


def test_an_array_is_sent_as_a_picture_and_answered_as_the_runtime_answers_it(running, tmp_path):
    random, model = np.random.default_rng(0), open_tiny("pictures")
    rows = [{"photo": random.integers(0, 256, shape, np.uint8)} for shape in ((4, 4), (4, 4, 1), (4, 4, 3))]
    expected = pytest.approx([model.predict([row])[0].prediction for row in rows])
    service = running(write_tiny(tmp_path / "pictures", "pictures"), "--workers", 1, "--threads", 1)
    with headway.Client(service.url) as client:
        assert [answer["prediction"] for answer in client.predict(rows).predictions] == expected
        assert [answer["prediction"] for answer in client.stream(rows)] == expected


def test_feedback_takes_the_scalars_of_numpy(running, tmp_path):
    service = running(write_tiny(tmp_path / "several", "several"), "--workers", 1, "--threads", 1)
    truth = {"side": np.bool_(1), "far": np.float32(2.5)}

    async def tell(asked):
        async with headway.AsyncClient(service.url) as client:
            return await client.feedback(asked, truth)

    with headway.Client(service.url) as client:
        asked = client.predict([{"a": np.float32("nan"), "b": np.int64(1)}]).request_id
        assert client.feedback(asked, truth) is False
    assert asyncio.run(tell(asked)) is False


def test_certificates_that_cannot_be_read_are_told(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    for place in (tmp_path / "ca.pem", str(tmp_path / "none.pem")):
        with pytest.raises(InputError, match="certificates cannot be read"):
            headway.Client("https://localhost", verify=place)
