import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from headway.errors import InputError
from headway.serving.learning.alarming import Alarms
from headway.serving.store.alarms import Alarm, read_alarms


@pytest.fixture
def webhook():
    """A real HTTP server that refuses the first call."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if len(got) == 1 else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    server.server_close()


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_alarm_goes_everywhere(store, webhook, caplog):
    url, got = webhook
    alarms = Alarms(store, url)
    alarms.raise_alarm(Alarm("drift", "评论", "rows differ", {"p": 0.001}))
    wait_until(lambda: len(got) == 2 and read_alarms(store))
    assert got[1]["model"] == "评论"
    assert got[1]["details"] == {"p": 0.001}
    assert alarms.count["drift"] == 1
    assert "rows differ" in caplog.text
    assert alarms.undelivered == 0


def test_a_dead_webhook_is_counted():
    alarms = Alarms(None, "http://127.0.0.1:9/")
    alarms.raise_alarm(Alarm("guardrail", "m", "stopped"))
    wait_until(lambda: alarms.undelivered == 1)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "localhost"])
def test_only_http_is_called(url):
    with pytest.raises(InputError, match="where alarms can be sent"):
        Alarms(None, url)
