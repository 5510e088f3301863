"""A real browser for tests: headless Chromium, driven over WebDriver (w3.org/TR/webdriver2) with plain HTTP."""

import base64
import contextlib
import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Chromium and its driver: apt-get install chromium chromium-driver"
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ENTER, TAB, SPACE, SHIFT = "\ue007", "\ue004", " ", "\ue008"


class Browser:
    """One window. Addresses beyond this machine do not resolve, so a page that loads from elsewhere fails."""

    def __init__(self, address, session):
        self.address, self.session = address, session

    def open(self, url):
        self._post("url", {"url": url})

    def run(self, script, *arguments):
        """Run the body of a function and return what it returns, awaited."""
        return self._post("execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition, *arguments, seconds=30):
        """Wait until the JavaScript expression is true and return its value."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := self.run(f"return {condition}", *arguments):
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {condition}; the page says {self.text('body')!r}")

    def text(self, selector):
        return self._get(f"element/{self._find(selector)}/text")

    def type(self, selector, keys):
        self._post(f"element/{self._find(selector)}/value", {"text": keys})

    def click(self, selector):
        self._post(f"element/{self._find(selector)}/click", {})

    def press(self, *keys):
        """Press keys one after another on whatever has the focus."""
        presses = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._post("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": presses}]})

    def resize(self, width, height):
        """Give the page a size in CSS pixels, as a phone has it."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        command = {"cmd": "Emulation.setDeviceMetricsOverride", "params": size}
        self._post("goog/cdp/execute", command)

    def picture(self, path: Path):
        """Write what is seen of the whole page."""
        command = {"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": True}}
        path.write_bytes(base64.b64decode(self._post("goog/cdp/execute", command)["data"]))

    def complaints(self):
        """Return what the browser's console holds of errors and warnings."""
        return [entry["message"] for entry in self._post("se/log", {"type": "browser"})]

    def _find(self, selector):
        return self._post("element", {"using": "css selector", "value": selector})[_ELEMENT]

    def _post(self, path, body):
        return request(f"{self.address}/session/{self.session}/{path}", body)

    def _get(self, path):
        return request(f"{self.address}/session/{self.session}/{path}")


@contextlib.contextmanager
def open_browser(*, language="en-US"):
    port = free_port()
    driver = subprocess.Popen([DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address + "/status")
        options = {
            "binary": CHROMIUM,
            "args": [
                "--headless=new",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                # WebAssembly compiled once and plainly: optimising it takes longer than a test.
                "--js-flags=--liftoff-only",
                f"--lang={language}",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
            ],
            "prefs": {"intl.accept_languages": language},
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "WARNING"}}
        session = request(address + "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        try:
            yield Browser(address, session)
        finally:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(
                    urllib.request.Request(f"{address}/session/{session}", method="DELETE"), timeout=10
                ).close()
    finally:
        driver.terminate()
        driver.wait(timeout=10)


@contextlib.contextmanager
def serve_folder(folder):
    """Serve a folder as `python -m http.server` does and yield its address."""
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def request(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=120) as response:
            return json.load(response)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(json.load(error)["value"]["message"]) from None


def wait_for(url, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
