"""The service as an operator runs it: processes, signals, sockets."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

import headway
from headway.errors import PackageError, RunError
from headway.serving.supervisor import bind
from headway.serving.wire import ServiceError, to_archive
from tests.runtime import painters
from tests.runtime.generation import packages as generation
from tests.runtime.graphs import number_graph
from tests.serving.conftest import PREDICT, ROOT, connect, read_log
from tests.serving.packages import write_tiny

BODY = json.dumps({"rows": [{"a": 1, "b": 0}]}).encode()
RAW = b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
REQUEST = RAW % len(BODY) + BODY


class Load:
    """Clients that ask without pause, each over one connection that is opened again where it was closed."""

    def __init__(self, url, clients=4):
        self.url, self.statuses, self.lost, self.versions = url, [], [], []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(clients)]

    def ask(self):
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while not self.stopped.is_set():
                try:
                    answer = client.post(PREDICT, content=BODY, headers={"content-type": "application/json"})
                except httpx.ConnectError:
                    return  # never accepted
                except httpx.TransportError as error:
                    self.lost.append(repr(error))
                    continue
                self.statuses.append(answer.status_code)
                if answer.status_code == 200:
                    self.versions.append(answer.json()["version"])

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_serves_until_sigterm_and_answers_all_it_accepted(running, tiny_package, tmp_path):
    log = tmp_path / "log.jsonl"
    service = running(tiny_package, "--workers", 2, "--log", log)
    service.wait_for_workers(2)
    with Load(service.url) as load:
        wait_for(lambda: len(load.statuses) > 40)
        assert service.stop() == 0
    assert load.lost == []
    assert set(load.statuses) <= {200, 503}
    assert load.statuses.count(200) > 20
    assert "every request under way was answered" in service.said
    assert sum(line["event"] == "stopped" for line in read_log(log)) == 2
    with pytest.raises(ConnectionRefusedError):
        connect(service.port)


def test_a_request_in_the_middle_of_its_body_is_answered_at_sigterm(running, tiny_package):
    service = running(tiny_package, "--workers", 1)
    with connect(service.port) as slow, connect(service.port) as idle:
        slow.sendall(REQUEST[:-5])
        time.sleep(0.2)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.15)
        idle.sendall(REQUEST)  # new work on an old connection
        refused = idle.recv(65536)
        slow.sendall(REQUEST[-5:])
        answered = slow.recv(65536)
    assert b" 503 " in refused
    assert b"connection: close" in refused
    assert b" 200 " in answered
    assert service.stop() == 0


def test_what_is_not_answered_within_the_bound_is_cut_off_and_told(running, tiny_package, tmp_path):
    log = tmp_path / "log.jsonl"
    service = running(tiny_package, "--workers", 1, "--threads", 1, "--drain", 0.5, "--log", log)
    with connect(service.port) as slow:
        slow.sendall(REQUEST[:-5])
        time.sleep(0.2)
        assert service.stop() == 0
        assert b" 503 " in slow.recv(65536)
    assert "requests not answered: 1" in service.said
    assert "was answered" not in service.said
    lines = {line["event"]: line for line in read_log(log)}
    assert (lines["request"]["status"], lines["request"]["kind"]) == (503, "cut_off")
    assert lines["stopped"]["unanswered"] == 1


def test_a_worker_that_had_to_be_ended_is_told(running, tiny_package):
    service = running(tiny_package, "--workers", 1, "--threads", 1)
    (worker,) = service.workers()
    os.kill(worker, signal.SIGSTOP)
    service.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert service.stop() == 0  # told a second time, it waits no longer
    assert "killed processes: 1" in service.said
    assert "was answered" not in service.said


def test_a_killed_worker_is_replaced_and_only_what_it_was_answering_is_lost(running, tiny_package):
    service = running(tiny_package, "--workers", 2)
    service.wait_for_workers(2)
    before = service.workers()
    with Load(service.url, clients=4) as load:
        wait_for(lambda: len(load.statuses) > 40)
        os.kill(before[0], signal.SIGKILL)
        time.sleep(1.5)
    assert len(load.lost) <= 4  # at most one for each connection
    assert set(load.statuses) == {200}
    service.wait_for_workers(2)
    assert before[0] not in service.workers()


def test_a_connection_waits_in_the_socket_while_the_only_worker_is_replaced(running, tiny_package):
    service = running(tiny_package, "--workers", 1)
    (pid,) = service.workers()
    os.kill(pid, signal.SIGKILL)
    with connect(service.port) as client:
        client.sendall(REQUEST)
        assert b" 200 " in client.recv(65536)


def test_without_its_supervisor_a_worker_ends(running, tiny_package):
    import psutil

    service = running(tiny_package, "--workers", 1)
    (pid,) = service.workers()
    worker = psutil.Process(pid)
    service.process.kill()
    worker.wait(timeout=20)


def test_a_worker_ends_though_its_supervisor_had_not_read_what_it_said(running, tiny_package, tmp_path):
    import psutil

    places = tmp_path / "tmp"
    places.mkdir()
    service = running(tiny_package, "--workers", 1, "--drain", 1, environment={"TMPDIR": str(places)})
    (pid,) = service.workers()
    worker, content = psutil.Process(pid), to_archive(tiny_package)
    service.process.send_signal(signal.SIGSTOP)
    kind = {"content-type": "application/octet-stream"}

    def deploy():
        with suppress(httpx.TransportError):
            httpx.post(f"{service.url}/v1/deploy", content=content, headers=kind, timeout=60)

    asking = threading.Thread(target=deploy)
    asking.start()
    wait_for(lambda: sum(path.stat().st_size for path in places.rglob("*.headway")) == len(content))
    assert httpx.get(f"{service.url}/health", timeout=60).status_code == 200  # by now it has asked the supervisor
    service.process.kill()
    worker.wait(timeout=60)
    asking.join()


def test_a_package_is_swapped_under_load_without_a_failed_request(running, tiny_package, tmp_path):
    better = write_tiny(tmp_path / "better", metrics={"accuracy": 0.95})
    worse = write_tiny(tmp_path / "worse", metrics={"accuracy": 0.5})
    service = running(tiny_package, "--workers", 2)
    service.wait_for_workers(2)
    with headway.Client(service.url) as client, Load(service.url) as load:
        wait_for(lambda: load.versions)
        before = client.models()[0]["version"]
        found = client.deploy(better)
        assert found["replaces"] == before
        wait_for(lambda: len(set(load.versions)) == 2)
        with pytest.raises(PackageError, match="worse"):
            client.deploy(worse)
        with pytest.raises(PackageError, match="not a package"):
            client.deploy(__file__)
        assert client.deploy(worse, force=True)["name"] == "numbers"
        wait_for(lambda: len(set(load.versions)) == 3)
        os.kill(service.workers()[0], signal.SIGKILL)
        time.sleep(1.0)
    service.wait_for_workers(2)
    assert set(load.statuses) == {200}
    assert len(load.lost) <= 4
    assert len(set(load.versions)) == 3
    last = {httpx.get(f"{service.url}/v1/models").json()["models"][0]["version"] for _ in range(8)}
    assert last == {load.versions[-1]}  # also the worker that was started after the swap


def test_a_package_takes_no_name_of_one_that_does_something_else(running, tiny_package, tmp_path):
    writer = generation.write_tiny(tmp_path / "writer")
    painter = painters.write_painter(tmp_path / "painter")
    service = running(tiny_package, writer, painter, "--workers", 1, "--threads", 1)
    kinds = {"numbers": (tiny_package, "predicts"), "tiny": (writer, "writes text"),
             "painter": (painter, "draws pictures")}  # fmt: skip
    with headway.Client(service.url) as client:
        for name, (_, kind) in kinds.items():
            for package, other in kinds.values():
                if other != kind:
                    with pytest.raises(PackageError, match=f"of this name {kind}, and the new one {other}"):
                        client.deploy(package, name=name)
            assert client.deploy(kinds[name][0])["name"] == name
        os.kill(service.workers()[0], signal.SIGKILL)
        assert {each["name"] for each in client.models()} == set(kinds)


def test_a_deployed_package_is_kept_as_long_as_it_is_served(running, tiny_package, tmp_path):
    places = tmp_path / "tmp"
    places.mkdir()
    newer = [write_tiny(tmp_path / f"p{number}", metrics={"accuracy": 0.9 + number / 100}) for number in range(3)]
    service = running(tiny_package, "--workers", 2, "--threads", 1, "--drift", environment={"TMPDIR": str(places)})
    service.wait_for_workers(2)

    def kept():
        return len(list(places.rglob("*.headway")))

    with headway.Client(service.url) as client:
        client.deploy(newer[0])
        version = client.deploy(newer[1])["version"]
        assert kept() == 1
        client.deploy(newer[2], name="other")
        assert kept() == 2
        with pytest.raises(PackageError):
            client.deploy(write_tiny(tmp_path / "worse", metrics={"accuracy": 0.1}))
        assert kept() == 2
        os.kill(service.workers()[0], signal.SIGKILL)
        service.wait_for_workers(2)
        for _ in range(8):
            answer = httpx.post(service.url + PREDICT, json={"rows": [{"a": 1, "b": 0}]}, timeout=30)
            assert answer.json()["version"] == version
    assert list(tiny_package.iterdir())
    assert service.stop() == 0
    assert list(places.glob("headway*")) == []


def test_where_the_disk_is_full_a_package_is_refused(running, tiny_package, small_disk, tmp_path):
    disk, largest = small_disk
    large = write_tiny(tmp_path / "large", graph=replace(number_graph(), files={"more": os.urandom(3_000_000)}))
    small = write_tiny(tmp_path / "small", metrics={"accuracy": 0.95})
    service = running(tiny_package, "--workers", 1, "--threads", 1, environment={"TMPDIR": str(disk)}, largest=largest)
    with headway.Client(service.url) as client:
        before = client.predict([{"a": 1, "b": 0}])
        with pytest.raises(ServiceError, match="the package cannot be stored") as caught:
            client.deploy(large)
        assert (caught.value.status, caught.value.kind) == (507, "no_room")
        (problem,) = caught.value.problems
        assert re.fullmatch(r"room for 3,00\d,\d\d\d bytes", problem.expected)
        assert re.fullmatch(rf"[\d,]+ bytes free in {disk}/.+", problem.got)
        assert "TMPDIR" in problem.fix
        assert list(disk.rglob("*.headway")) == []
        assert client.predict([{"a": 1, "b": 0}]).version == before.version
        command = [sys.executable, "-m", "headway.cli", "deploy", large, "--url", service.url, "--lang", "zh"]
        told = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=ROOT)
        assert told.returncode == 1
        assert told.stderr.startswith("headway: 模型包无法存放，当前的服务不受影响：")
        assert "Traceback" not in told.stderr
        assert client.deploy(small)["name"] == "numbers"  # there is room for this one
    asked = {"accept-language": "zh", "content-type": "application/octet-stream"}
    refused = httpx.post(f"{service.url}/v1/deploy", content=b"x" * 3_000_000, headers=asked, timeout=60)
    assert refused.json()["error"]["problems"][0]["expected"] == "3,000,000 字节的空间"


def test_every_worker_counts_and_tells_the_rows_of_each_version(running, tiny_package, tmp_path):
    better = write_tiny(tmp_path / "better", metrics={"accuracy": 0.95})
    service = running(tiny_package, "--workers", 2, "--threads", 1)
    service.wait_for_workers(2)
    with headway.Client(service.url) as client:
        first = client.predict([{"a": 1, "b": 0}] * 5).version
        second = client.deploy(better)["version"]
        os.kill(service.workers()[0], signal.SIGKILL)
        service.wait_for_workers(2)
        wait_for(lambda: httpx.get(f"{service.url}/ready").status_code == 200)
    expected = {first: 5.0}
    for rows in range(1, 13):  # by connections of their own, so that both workers answer
        httpx.post(service.url + PREDICT, json={"rows": [{"a": 1, "b": 0}] * rows})
        expected[second] = expected.get(second, 0.0) + rows
        wait_for(lambda: rows_by_version(service) == expected)


def rows_by_version(service):
    """Return what whichever worker answers says of the rows of each version."""
    text = httpx.get(f"{service.url}/metrics").text
    return {line.split('version="')[1].split('"')[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if line.startswith("headway_rows_total{")}  # fmt: skip


def test_without_keys_only_a_service_on_localhost_is_deployed_to(running, tiny_package):
    service = running(tiny_package, "--workers", 1, "--threads", 1, "--host", "0.0.0.0")
    with headway.Client(f"http://127.0.0.1:{service.port}") as client:
        with pytest.raises(ServiceError, match="other machines reach") as caught:
            client.deploy(tiny_package)
        assert client.predict([{"a": 1, "b": 0}]).model == "numbers"
    assert caught.value.status == 403
    service.hear("nobody may deploy")


def test_a_worker_that_starts_during_a_swap_gets_the_new_package(running, tiny_package, tmp_path):
    better = write_tiny(tmp_path / "better", metrics={"accuracy": 0.95})
    service = running(tiny_package, "--workers", 2)
    with headway.Client(service.url) as client:
        found = client.deploy(better)  # the second worker is on its way
    service.wait_for_workers(2)
    answering = {httpx.get(f"{service.url}/v1/models").json()["models"][0]["version"] for _ in range(16)}
    assert answering == {found["version"]}


def test_workers_are_replaced_though_nobody_reads_what_is_said(running, tiny_package):
    service = running(tiny_package, "--workers", 2)
    service.wait_for_workers(2)
    with httpx.Client(base_url=service.url) as client:
        for _ in range(1500):  # a pipe holds 64 KB of the log, which is about 450 requests
            client.post(PREDICT, content=BODY, headers={"content-type": "application/json"})
    time.sleep(0.5)
    for _ in range(2):
        before = service.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda gone=before[0]: len(service.workers()) == 2 and gone not in service.workers())
    os.kill(service.process.pid, signal.SIGTERM)
    assert service.process.wait(30) == 0


def connections(pid, port):
    import psutil

    found = psutil.Process(pid).net_connections("tcp")
    return sum(each.status == "ESTABLISHED" and each.laddr.port == port for each in found)


def test_clients_share_workers_evenly(running, tiny_package):
    service = running(tiny_package, "--workers", 2)
    service.wait_for_workers(2)
    sockets = [connect(service.port) for _ in range(16)]
    for client in sockets:
        client.sendall(REQUEST)
        assert b" 200 " in client.recv(65536)
    counts = [connections(pid, service.port) for pid in service.workers()]
    for client in sockets:
        client.close()
    assert sum(counts) >= 16
    assert max(counts) - min(counts) <= 4


def test_a_slow_client_holds_up_nobody(running, tiny_package):
    service = running(tiny_package, "--workers", 1)
    dripping = [connect(service.port) for _ in range(20)]
    for client in dripping:
        client.sendall(b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-")
    began = time.monotonic()
    assert httpx.post(service.url + PREDICT, json={"rows": [{"a": 1, "b": 0}]}).status_code == 200
    assert time.monotonic() - began < 5
    for client in dripping:
        client.close()


def test_headers_without_end_are_cut_off(running, tiny_package):
    service = running(tiny_package, "--workers", 1)
    with connect(service.port) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n")
        received = b""
        try:
            for number in range(4000):
                client.sendall(b"x-%d: %s\r\n" % (number, b"y" * 100))
            received = client.recv(1000)
        except OSError:
            received = received or b"HTTP/1.1 431 "
    assert b" 431 " in received


def test_a_refused_body_is_passed_over_and_the_next_request_answered(running, tiny_package):
    service = running(tiny_package, "--workers", 1)
    with connect(service.port) as client:
        body = b"x" * 200_000
        client.sendall(b"PUT /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        assert b" 405 " in receive(client)
        client.sendall(REQUEST)
        assert b" 200 " in receive(client)


def receive(client):
    """Return one whole answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += client.recv(65536)
    return head + body


def test_a_client_that_hangs_up_is_no_error(running, tiny_package, tmp_path):
    log = tmp_path / "log.jsonl"
    service = running(tiny_package, "--workers", 1, "--log", log)
    for _ in range(20):
        client = connect(service.port)
        client.sendall(REQUEST[:-5])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    assert httpx.post(service.url + PREDICT, json={"rows": [{"a": 1, "b": 0}]}).status_code == 200
    service.stop()
    assert {line.get("status") for line in read_log(log) if line["event"] == "request"} == {200, 499}


def test_https_by_files(running, tiny_package, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        pytest.skip("there is no openssl here to make a certificate")
    service = running(tiny_package, "--workers", 1, "--tls-cert", certificate, "--tls-key", key)
    url = f"https://localhost:{service.port}"
    for verify in (certificate, str(certificate), False):
        with headway.Client(url, verify=verify) as client:
            assert client.predict([{"a": 1, "b": 0}]).model == "numbers"
    with headway.Client(url, tries=1) as client, pytest.raises(ServiceError, match="certificate"):
        client.models()
    command = [sys.executable, "-m", "headway.cli", "deploy", tiny_package, "--url", url, "--ca", certificate]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://localhost:{service.port}/health")


def test_what_cannot_start_says_why(tiny_package, tmp_path):
    def start(*arguments):
        command = [sys.executable, "-m", "headway.cli", "serve", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HEADWAY_LANG": "en"},
        )  # fmt: skip

    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = start(tiny_package, "--port", taken.getsockname()[1])
    assert (done.returncode, "choose another --port" in done.stderr) == (1, True)
    done = start(tiny_package, tiny_package)
    assert (done.returncode, "same name" in done.stderr) == (1, True)
    broken = write_tiny(tmp_path / "broken")
    (broken / "model.onnx").write_bytes(b"other")
    done = start(broken, "--port", 0)
    assert (done.returncode, "was changed" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


def test_two_names_for_one_package_and_a_key_through_the_client(running, tiny_package, tmp_path):
    from headway.serving.keys import add_key

    key = add_key(tmp_path / "keys.json", name="shop")
    service = running(f"left={tiny_package}", f"right={tiny_package}", "--keys", tmp_path / "keys.json")
    with headway.Client(service.url, key=key) as client:
        assert [each["name"] for each in client.models()] == ["left", "right"]
        assert client.predict([{"a": 1, "b": 0}], model="right").model == "right"
    with headway.Client(service.url) as client, pytest.raises(ServiceError, match="needs an API key"):
        client.models()


def test_a_taken_port_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(RunError, match="cannot be used"):
        bind("127.0.0.1", taken.getsockname()[1])


def test_fixed_processes_and_threads_are_taken_as_they_are(running, tiny_package, tmp_path):
    service = running(tiny_package, "--workers", 1, "--threads", 1)
    assert httpx.get(f"{service.url}/ready").status_code == 200
    assert "processes" not in service.said
    service = running(tiny_package, "--workers", 1)
    service.hear("processes: 1")


def test_bodies_are_logged_only_where_that_is_asked(running, tiny_package, tmp_path):
    log = tmp_path / "log.jsonl"
    service = running(tiny_package, "--workers", 1, "--log", log, "--log-bodies")
    httpx.post(service.url + PREDICT, json={"rows": [{"a": 4242, "b": 0}]})
    service.stop()
    (line,) = (line for line in read_log(log) if line["event"] == "bodies")
    assert line["rows"] == [{"a": 4242, "b": 0}]
    assert line["answers"][0]["prediction"] == "好评"
