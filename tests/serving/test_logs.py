import json
import logging
import resource
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from headway.evaluation.drift import reference_to_json
from headway.evaluation.drift.building import TargetAnswers, build_reference
from headway.serving.logs import Log, forward
from tests.serving.conftest import Asker, connect, make_service, read_log
from tests.serving.packages import write_tiny


def test_requests_are_logged_without_their_bodies(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    ask = Asker(make_service("texts", log=log))
    ask.predict([{"review": "a secret"}])
    ask.predict([{"review": ["another secret"]}])
    ask("GET", "/health")
    log.close()
    first, second = read_log(tmp_path / "log.jsonl")
    assert (first["event"], first["path"], first["status"]) == ("request", "/v1/predict", 200)
    assert first["ms"] > 0
    assert second["kind"] == "wrong_input"
    assert "secret" not in (tmp_path / "log.jsonl").read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_loses_lines_and_counts_them_and_nothing_else(tmp_path):
    service = make_service("numbers")
    service.log = Log(Path("/dev/full"), on_lost=lambda count: service.telemetry.add("log_lines_lost", count))
    assert Asker(service).predict([{"a": 1, "b": 0}]).status_code == 200
    service.log.close()
    assert service.telemetry.read("log_lines_lost") == 1


@contextmanager
def files_of_at_most(size):
    """Let no file that this process writes become larger: a disk that is full in the midst of a line."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_the_line_after_a_disk_was_full_stands_by_itself(tmp_path):
    lost, path = [], tmp_path / "log.jsonl"
    log = Log(path, on_lost=lost.append)
    with files_of_at_most(100):
        log.write("x", text="a" * 200)
        deadline = time.monotonic() + 30
        while not lost:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    log.write("after")
    log.write("later")
    log.close()
    half, *lines = path.read_bytes().splitlines()
    assert len(half) == 100
    assert [json.loads(line)["event"] for line in lines] == ["after", "later"]


@pytest.mark.slow
def test_a_pipe_that_nobody_reads_holds_up_no_answer_to_what_is_no_http(running, tiny_package):
    service = running(tiny_package, "--workers", 1)
    with httpx.Client(base_url=service.url, timeout=60) as client:
        for _ in range(600):  # their lines fill the pipe
            client.get(f"/nothing/{'x' * 60}")
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", service.port), timeout=60) as wrong:
                wrong.sendall(b"nonsense\r\n\r\n")
                assert wrong.recv(100).startswith(b"HTTP/1.1 400")
        assert client.post("/v1/predict", json={"rows": [{"a": 1, "b": 2}]}).status_code == 200


def test_a_folder_that_is_gone_loses_lines_and_nothing_else(tmp_path):
    lost = []
    log = Log(tmp_path / "no" / "log.jsonl", on_lost=lost.append)
    log.write("x")
    log.close()
    assert lost == [1]


def test_lines_are_json_whatever_stands_in_them(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    log.write("x", text='a\n"b" 中', none=None)
    log.close()
    (line,) = (tmp_path / "log.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["text"] == 'a\n"b" 中'
    assert "none" not in json.loads(line)


def test_what_is_said_through_logging_becomes_lines_with_level_logger_and_trace(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    logger = logging.getLogger("headway.serving")
    with forward(log):
        logger.warning("%d of %s", 3, "them")
        try:
            int("broken")
        except ValueError:
            logger.exception("a batch was lost")
    logger.setLevel(logging.CRITICAL)  # or it would be told in plain text
    logger.warning("afterwards")
    logger.setLevel(logging.NOTSET)
    log.close()
    first, second = read_log(tmp_path / "log.jsonl")
    assert (first["event"], first["logger"], first["message"]) == ("warning", "headway.serving", "3 of them")
    assert "trace" not in first
    assert second["event"] == "error"
    assert "ValueError: invalid literal" in second["trace"]


def test_alarms_and_warnings_of_a_running_service_are_lines_of_its_log(running, tmp_path):
    random = np.random.default_rng(0)
    columns = {name: random.normal(0, 1, 400).tolist() for name in ("a", "b")}
    known = random.choice(["差评", "好评"], 400).tolist()
    answers = {"": TargetAnswers("classify", known, None, known)}
    reference = build_reference(columns, dict.fromkeys(columns, "number"), answers=answers, seed=0)
    package = write_tiny(tmp_path / "package", reference=reference_to_json(reference))
    path = tmp_path / "log.jsonl"
    service = running(package, "--workers", 1, "--log", path, "--drift", "--webhook", "http://127.0.0.1:9/")
    with connect(service.port) as client:
        client.sendall(b"no HTTP at all\r\n\r\n")
        assert b" 400 " in client.recv(1000)
    httpx.post(f"{service.url}/v1/predict", json={"rows": [{"a": 9, "b": 9}] * 500})

    def said(logger):
        if not path.exists():  # the first line is written behind the answer
            return []
        return [line["message"] for line in read_log(path) if line.get("logger") == logger]

    deadline = time.monotonic() + 30
    while len(said("headway.alarms")) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert service.stop() == 0
    assert "drift on numbers" in said("headway.alarms")[0]
    assert "webhook did not take" in said("headway.alarms")[1]
    assert said("uvicorn.error") == ["Invalid HTTP request received."]
    assert "drift on numbers" not in service.said
    assert "Invalid HTTP" not in service.said
