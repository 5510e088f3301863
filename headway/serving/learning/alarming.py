"""Tell of an alarm: in the log, in the store, and to a webhook."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
import time
import urllib.request
from urllib.error import URLError
from urllib.parse import urlsplit

from headway.errors import InputError, StoreError
from headway.serving.store.alarms import Alarm, keep_alarm
from headway.serving.store.opening import Store

_TRIES, _TIMEOUT_SECONDS = 3, 5.0
_log = logging.getLogger("headway.alarms")


class Alarms:
    """Where alarms go: `count` says how many by kind, `undelivered` how many a webhook or the store did not take."""

    def __init__(self, store: Store | None = None, webhook: str | None = None) -> None:
        """Keep alarms in `store` and post them as JSON to `webhook`; raises `InputError` for what is no http(s) URL."""
        if webhook is not None and (urlsplit(webhook).scheme not in {"http", "https"} or not urlsplit(webhook).netloc):
            raise InputError("this is not where alarms can be sent", where="--webhook", expected="http:// or https://",
                             got=webhook[:80])  # fmt: skip
        self.count: dict[str, int] = {"drift": 0, "guardrail": 0}
        self.undelivered = 0
        self._store, self._webhook = store, webhook

    def raise_alarm(self, alarm: Alarm) -> None:
        """Tell of it everywhere; returns at once, and never raises."""
        self.count[alarm.kind] = self.count.get(alarm.kind, 0) + 1
        _log.warning("%s on %s: %s", alarm.kind, alarm.model, alarm.message)
        threading.Thread(target=self._deliver, args=(alarm,), name="headway-alarm", daemon=True).start()

    def _deliver(self, alarm: Alarm) -> None:
        if self._store is not None:
            try:
                keep_alarm(self._store, alarm)
            except StoreError as error:
                self.undelivered += 1
                _log.warning("the alarm was not kept: %s", error)
        if self._webhook is not None and not _post(self._webhook, alarm):
            self.undelivered += 1


def _post(url: str, alarm: Alarm) -> bool:
    """Post an alarm as JSON, up to three times; return whether it was taken."""
    body = json.dumps(dataclasses.asdict(alarm), ensure_ascii=False, default=str).encode("utf-8", "replace")
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - http(s), checked
    for attempt in range(_TRIES):
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310 - see above
                return True
        except (URLError, OSError, ValueError) as error:
            _log.warning("the webhook did not take the alarm (%s)", error)
            time.sleep(2.0**attempt / 2)
    return False
