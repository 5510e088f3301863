"""What a worker is told when it starts; goes over a pipe as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from headway.serving.limits import Limits


@dataclass(frozen=True)
class Package:
    """One package to serve: the name it answers to (None: its own), and where it lies."""

    name: str | None
    path: str


@dataclass(frozen=True)
class Price:
    """What the machine costs an hour, and the sign of the currency."""

    hourly: float
    currency: str = "$"


@dataclass(frozen=True)
class Settings:
    """All that the service was started with.

    `workers` and `threads` 0: chosen by measurement. `observer` names a function `module:function` that takes these
    settings and returns an `Observer`, or an `(Observer, Router)`; `options` are its own settings. `hosts` None: any
    name; `origins`: pages that may ask (CORS). `price`: what the page reckons costs with. `engine`: what writes text.
    """

    packages: tuple[Package, ...]
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 0
    threads: int = 0
    limits: Limits = field(default_factory=Limits)
    keys: str | None = None
    certificate: str | None = None
    private_key: str | None = None
    log: str | None = None
    log_bodies: bool = False
    hosts: tuple[str, ...] | None = None
    origins: tuple[str, ...] = ()
    lang: str = "en"
    observer: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    price: Price | None = None
    engine: Literal["auto", "onnx", "vllm"] = "auto"

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Return what `to_json` wrote."""
        given = json.loads(text)
        given["packages"] = tuple(Package(**package) for package in given["packages"])
        given["limits"] = Limits(**given["limits"])
        given["price"] = None if given["price"] is None else Price(**given["price"])
        given["hosts"] = None if given["hosts"] is None else tuple(given["hosts"])
        given["origins"] = tuple(given["origins"])
        return cls(**given)


@dataclass(frozen=True)
class Post:
    """One worker's place: which of how many, its threads (0: measure), and the files all workers share."""

    index: int
    workers: int
    threads: int
    telemetry: str
    rates: str
    folder: str
    listener: int
    control: int
