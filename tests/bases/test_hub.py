import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from headway.bases.hub import hub_cache, is_hub_id
from headway.bases.memory import memory_needed
from headway.bases.opening import open_base
from headway.errors import BaseModelError
from tests.bases.folders import text_folder

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """The few answers of a model hub that its client asks for."""

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, *, with_body):
        name = self.path.split("?")[0]
        folder = self.server.folder
        headers = {"X-Repo-Commit": COMMIT}
        if name.startswith("/api/models/someone/tiny/tree"):
            names = sorted(path.name for path in folder.iterdir() if path.is_file())
            sizes = [(file, (folder / file).stat().st_size) for file in names]
            body = json.dumps([{"type": "file", "path": f, "size": size, "oid": f} for f, size in sizes]).encode()
            headers["Content-Type"] = "application/json"
        elif name.startswith("/api/models/someone/tiny"):
            files = [{"rfilename": path.name, "size": path.stat().st_size} for path in folder.iterdir()]
            told = {"id": "someone/tiny", "sha": COMMIT, "siblings": files, **self.server.told}
            body = json.dumps(told).encode()
            headers["Content-Type"] = "application/json"
        elif name.startswith("/someone/tiny/resolve/") and (folder / name.split("/")[-1]).is_file():
            body = (folder / name.split("/")[-1]).read_bytes()
            headers["ETag"] = f'"{name.split("/")[-1]}"'
            self.server.taken.append(name.split("/")[-1])
        else:
            headers["X-Error-Code"] = "RepoNotFound"
            body = b"{}"
        self.send_response(404 if "X-Error-Code" in headers else 200)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub with one model, code and a pickle among its files."""
    folder = text_folder(tmp_path / "tiny")
    (folder / "modeling_tiny.py").write_text("raise SystemExit\n")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.folder, server.taken, server.told = folder, [], {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    go_online(monkeypatch, tmp_path, f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()


def go_online(monkeypatch, tmp_path, endpoint):
    """Let the hub's client, which reads its environment at import, go to a hub of our own."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


def test_a_model_is_fetched_by_its_id_without_code_and_pickles(hub, tmp_path):
    told = []
    base = open_base("someone/tiny", tell=told.append)
    assert told == ["the base someone/tiny is downloaded from the hub"]
    assert base.folder.is_relative_to(tmp_path / "cache")
    assert "model.safetensors" in hub.taken
    assert not {"modeling_tiny.py", "pytorch_model.bin"} & set(hub.taken)
    hub.taken.clear()
    assert open_base("someone/tiny").digest == base.digest
    assert hub.taken == []


@pytest.mark.parametrize("counts", [True, False])
def test_a_model_that_is_too_large_is_not_fetched(hub, counts):
    hub.told = {"safetensors": {"parameters": {"BF16": 7_000_000_000}, "total": 7_000_000_000}} if counts else {}
    own = (hub.folder / "model.safetensors").stat().st_size / 1024**2
    told = []
    with pytest.raises(BaseModelError, match="the base someone/tiny is too large for the memory budget") as caught:
        open_base("someone/tiny", tell=told.append, memory_mb=4096 if counts else memory_needed(own) - 0.01)
    assert ("26,703 MB of weights in float32" in str(caught.value)) == counts
    assert (hub.taken, told) == ([], [])


def test_half_a_download_is_taken_up_again(hub):
    base = open_base("someone/tiny")
    weights = base.folder / "model.safetensors"
    weights.unlink()
    again = open_base("someone/tiny")
    assert again.digest == base.digest
    weights.unlink()
    with pytest.raises(BaseModelError, match="there are no weights"):
        open_base("someone/tiny", fetch=False)


def test_an_id_that_is_not_there_is_told(hub):
    with pytest.raises(BaseModelError, match="no such model on the hub"):
        open_base("someone/else")


def test_offline_means_no_network(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BaseModelError, match="HF_HUB_OFFLINE is set"):
        open_base("someone/tiny")


def test_a_dead_network_does_not_hang(tmp_path, monkeypatch):
    monkeypatch.setattr("headway.bases.hub._TIMEOUT", 0.5)
    with socket.socket() as silent:  # it takes the connection and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        go_online(monkeypatch, tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(BaseModelError, match="cannot be fetched from the hub"):
            open_base("someone/tiny")
    assert time.monotonic() - started < 30


def test_the_cache_is_where_the_hubs_client_has_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert hub_cache() == tmp_path
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert hub_cache() == tmp_path / "hub"


def test_an_id_has_an_owner():
    assert is_hub_id("sentence-transformers/all-MiniLM-L6-v2")
    assert not is_hub_id("all-MiniLM-L6-v2")
    assert not is_hub_id("a/b/c")
