import json
import socket
from pathlib import Path

import httpx
import pytest

from headway.serving.logs import Log
from tests.serving.conftest import Asker, make_service, read_log


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
