"""A headless Chromium, driven by the WebDriver protocol itself: no library of its own is needed."""

import base64
import shutil
import socket
import subprocess
import time

import httpx
import pytest

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
TAB, ENTER = "\ue004", "\ue007"


def find_chromium():
    """The paths of browser and driver; the test is skipped where one is absent."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
    return browser, driver


class Browser:
    """One browser window."""

    def __init__(self, profile, *, width=1100, height=900, phone=False, lang="en-US"):
        browser, driver = find_chromium()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.process = subprocess.Popen([driver, f"--port={port}", "--silent"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)  # fmt: skip
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self.wait_for(self._is_up, 30)
        options = {
            "binary": browser,
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", f"--lang={lang}",
                     f"--user-data-dir={profile}", f"--window-size={width},{height}", "--hide-scrollbars",
                     f"--accept-lang={lang}"],
        }  # fmt: skip
        self.phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True} if phone else None
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self.http.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
        assert "sessionId" in made, made
        self.session = f"/session/{made['sessionId']}"
        self.shape(self.phone)

    def _is_up(self):
        try:
            return self.http.get("/status").json()["value"]["ready"]
        except httpx.TransportError:
            return False

    def wait_for(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found

    def tell(self, path, **body):
        answer = self.http.post(self.session + path, json=body).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def open(self, url):
        self.tell("/url", url=url)

    def run(self, script):
        return self.tell("/execute/sync", script=script, args=[])

    def find(self, css):
        return self.tell("/element", using="css selector", value=css)[ELEMENT]

    def click(self, css):
        self.tell(f"/element/{self.find(css)}/click")

    def type(self, css, text):
        self.tell(f"/element/{self.find(css)}/value", text=text)

    def press(self, *keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.tell("/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def text(self, css):
        return self.run(f"const found = document.querySelector({css!r}); return found && found.innerText")

    def complaints(self):
        """What the browser's console says is wrong."""
        found = self.http.post(f"{self.session}/se/log", json={"type": "browser"}).json()["value"]
        return [entry["message"] for entry in found if entry["level"] == "SEVERE"]

    def shape(self, metrics):
        """Let the window be a phone's, or what it was."""
        command = "setDeviceMetricsOverride" if metrics else "clearDeviceMetricsOverride"
        self.tell("/goog/cdp/execute", cmd=f"Emulation.{command}", params=metrics or {})

    def screenshot(self, path):
        """Write a picture of the whole page."""
        height = self.run("return document.documentElement.scrollHeight")
        usual = {"width": 0, "deviceScaleFactor": 0, "mobile": False}
        self.shape({**(self.phone or usual), "height": height})
        content = self.http.get(self.session + "/screenshot").json()["value"]
        self.shape(self.phone)
        path.write_bytes(base64.b64decode(content))

    def close(self):
        self.http.delete(self.session)
        self.http.close()
        self.process.terminate()
        self.process.wait()
