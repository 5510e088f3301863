"""`headway serve`: packages behind an HTTP service and a page."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from headway.cli.messages import Language, choose_language, say

if TYPE_CHECKING:
    from headway.serving.settings import Package, Settings

_LEARNS = "headway.serving.learning.assembling:learn"
_LOCAL = ("127.0.0.1", "localhost", "::1")


def serve(
    packages: Annotated[
        list[str],
        typer.Argument(metavar="PACKAGE_OR_RUN...", help="Packages, .headway files or runs; NAME=PATH gives a name."),
    ],
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all, after thinking of --keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Processes; 0: chosen by measurement.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the model in each; 0: chosen by measurement.")] = 0,
    keys: Annotated[Path | None, typer.Option(help="File of API keys, made by `headway keys add`.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate (PEM) for HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM) of the certificate.")] = None,
    cors: Annotated[list[str] | None, typer.Option(help="A web origin whose pages may ask; may be repeated.")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further name under which it may be called; may be repeated.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.01, help="Seconds a request may wait.")] = 10.0,
    max_rows: Annotated[int, typer.Option(min=1, help="Rows of one request.")] = 1000,
    max_body: Annotated[float, typer.Option(min=0.001, help="Megabytes of a request's body.")] = 16,
    drain: Annotated[float, typer.Option(min=0, help="Seconds that a stop waits for what is being answered.")] = 30.0,
    queue: Annotated[int, typer.Option(min=1, help="Rows that may wait in one worker.")] = 4096,
    engine: Annotated[
        Literal["auto", "onnx", "vllm"],
        typer.Option(help="What writes text: vLLM on a GPU, or onnxruntime; auto: vLLM where it can be used."),
    ] = "auto",
    log: Annotated[Path | None, typer.Option(help="File for the JSON log; standard error without it.")] = None,
    log_bodies: Annotated[bool, typer.Option("--log-bodies", help="Log rows and answers too (personal data!).")] = (
        False
    ),
    store: Annotated[
        str | None, typer.Option(help="Keep predictions and feedback: sqlite:///headway.db or postgresql://...")
    ] = None,
    keep: Annotated[
        str, typer.Option(help="What the store keeps: all, off (feedback alone), or a share: 10%.")
    ] = "all",
    keep_days: Annotated[float, typer.Option(min=0, help="Days after which it is deleted; 0: never.")] = 90.0,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Keep personal data as it came.")] = False,
    drift: Annotated[
        bool | None,
        typer.Option("--drift/--no-drift", help="Compare what comes in with training; on where there is a store."),
    ] = None,
    drift_window: Annotated[int, typer.Option(min=50, help="Rows that are compared at a time.")] = 500,
    false_alarms: Annotated[
        str, typer.Option(help="How often such a window may alarm though nothing has changed.")
    ] = "1%",
    webhook: Annotated[str | None, typer.Option(help="URL that alarms are posted to.")] = None,
    machine_price: Annotated[
        float | None, typer.Option(min=0, help="Of this machine, an hour: the page shows what 1,000 predictions cost.")
    ] = None,
    currency: Annotated[str, typer.Option(help="Sign of its currency.")] = "$",
    lang: Annotated[str | None, typer.Option(help="Language of what is said and of the page: en or zh.")] = None,
) -> None:
    """Answer predictions over HTTP, and show a page to try the model on; Ctrl-C or SIGTERM finish what was accepted."""
    from headway.cli.price import read_part
    from headway.serving.limits import Limits
    from headway.serving.settings import Price, Settings
    from headway.serving.supervisor import Supervisor

    language = choose_language(lang)
    limits = Limits(rows=max_rows, queue_rows=queue, timeout=timeout, body_bytes=int(max_body * 2**20),
                    drain_seconds=drain)  # fmt: skip
    settings = Settings(
        tuple(_package(text) for text in packages), host=host, port=port, workers=workers, threads=threads,
        limits=limits, keys=_path(keys), certificate=_path(tls_cert), private_key=_path(tls_key), log=_path(log),
        log_bodies=log_bodies, hosts=_hosts(host, allow_host or ()), origins=tuple(cors or ()), lang=language,
        observer=_LEARNS if store or drift or webhook else None,
        options={
            "store": store, "keep": keep, "keep_days": keep_days or None, "mask": not unmasked, "webhook": webhook,
            "drift": drift is not False, "window": drift_window,
            "false_alarms": read_part(false_alarms, "--false-alarms"),
        },
        price=Price(machine_price, currency) if machine_price else None, engine=engine,
    )  # fmt: skip
    _check(settings)
    supervisor = Supervisor(settings, on_event=lambda event, facts: _tell(event, facts, settings, language))
    supervisor.run()


def _package(text: str) -> Package:
    """Return the package that an argument names; raises `RunError` where there is none."""
    from headway.cli.places import find_package
    from headway.serving.settings import Package

    name, equals, path = text.partition("=")
    if equals and name and not Path(text).exists():
        return Package(name, str(find_package(Path(path)).resolve()))
    return Package(None, str(find_package(Path(text)).resolve()))


def _hosts(host: str, further: tuple[str, ...] | list[str]) -> tuple[str, ...] | None:
    """Return the names under which a local service may be called; None, any, where it listens to others."""
    if host in _LOCAL:
        return (*_LOCAL, *further)
    return (host, *_LOCAL, *further) if further else None


def _check(settings: Settings) -> None:
    """Raise before any process starts for what would fail in all of them."""
    from importlib.util import find_spec

    from headway.errors import MissingExtraError, RunError
    from headway.serving.keys import read_keys
    from headway.serving.naming import name_of
    from headway.serving.writing.choosing import choose_engine

    if any(find_spec(name) is None for name in ("uvicorn", "httptools", "orjson", "starlette", "prometheus_client")):
        raise MissingExtraError("serve", purpose="the HTTP service")
    if (settings.certificate is None) != (settings.private_key is None):
        raise RunError("HTTPS needs both files", expected="--tls-cert FILE --tls-key FILE")
    for path in (settings.certificate, settings.private_key):
        if path is not None and not Path(path).is_file():
            raise RunError("a file for HTTPS is not there", where=path)
    if settings.keys is not None:
        read_keys(Path(settings.keys))
    if settings.observer is not None:
        _check_learning(settings.options)
    if settings.engine == "vllm":
        choose_engine(settings.engine)
    names = [package.name or name_of(package.path) for package in settings.packages]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RunError("two packages have the same name", got=", ".join(twice), fix="give one another: NAME=PATH")


def _check_learning(options: Mapping[str, Any]) -> None:
    """Raise for a store or a webhook that cannot be, or a share that makes no sense."""
    from headway.serving.learning.alarming import Alarms
    from headway.serving.learning.assembling import read_options
    from headway.serving.store.opening import check_place, connect
    from headway.serving.store.recorder import read_keeping

    read_options(options)
    Alarms(webhook=options["webhook"])
    read_keeping(str(options["keep"]))
    if options["store"] is not None:
        store = connect(str(options["store"]))
        store.close()
        check_place(store)


def _tell(event: str, facts: Mapping[str, Any], settings: Settings, language: Language) -> None:
    """Say what happened to the service."""
    if event == "start":
        scheme = "http" if settings.certificate is None else "https"
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"{scheme}://{host}:{facts['port']}"
        _write(say("serve:start", language).format(url=url, seconds=f"{facts['seconds']:.1f}"))
        if settings.keys is None and settings.host not in _LOCAL:
            _write(say("serve:open", language))
    elif event == "deploy":
        key = "serve:deployed" if facts["error"] is None else "serve:refused"
        words = {"name": "", "version": "", **facts}
        _write(say(key, language).format(**words))
    elif event == "stop":
        key = "serve:cut" if facts["unanswered"] or facts["ended"] else "serve:stop"
        _write(say(key, language).format(**facts))
    else:
        _write(say(f"serve:{event}", language).format(**facts))


def _write(line: str) -> None:
    """Write a line to standard error, which may be a pipe that nobody reads."""
    from headway.serving.telling import write_through

    write_through(f"{line}\n".encode(sys.stderr.encoding or "utf-8", errors="replace"))


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())
