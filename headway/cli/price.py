"""`headway price`: what a prediction costs, what to ask for it, and from how many on it pays."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import time
from pathlib import Path
from typing import Annotated

import typer

from headway.cli.messages import Language, choose_language
from headway.errors import InputError

_COUNTS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "万": 1e4, "百万": 1e6, "亿": 1e8}
_MONTH = 730 * 3600.0


def price(
    package: Annotated[
        Path | None,
        typer.Argument(metavar="PACKAGE_OR_RUN", help="Its measured speed counts; or name --rows-per-second."),
    ] = None,
    *,
    machine_price: Annotated[float, typer.Option(help="Of one machine, an hour.")],
    traffic: Annotated[
        str | None, typer.Option(help="Predictions a month, such as 500000, 2M or 30万; or name --store.")
    ] = None,
    margin: Annotated[str, typer.Option(help="Share of the price that is profit.")] = "60%",
    fixed: Annotated[float, typer.Option(help="Costs a month that traffic does not change: people, storage.")] = 0.0,
    ask: Annotated[float | None, typer.Option(help="A price per 1,000 to try instead of the proposed one.")] = None,
    rival: Annotated[
        float | None, typer.Option(help="Another price per 1,000 to compare with, such as an API's.")
    ] = None,
    busy: Annotated[str, typer.Option(help="Share of full load that a machine is given.")] = "60%",
    peak: Annotated[float, typer.Option(help="How many times the average the busiest traffic is.")] = 3.0,
    machines: Annotated[int, typer.Option(help="At least so many machines: 2 where one may fail.")] = 1,
    rows_per_second: Annotated[
        float | None, typer.Option(help="Of one machine at full load, from your own load test.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Rows to measure the speed with, here and now.")] = None,
    store: Annotated[str | None, typer.Option(help="A store whose last 30 days tell the traffic.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Whose traffic in the store: the name it is served under; the package's without it."),
    ] = None,
    currency: Annotated[str, typer.Option(help="Sign before amounts.")] = "$",
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Propose prices and break-even volumes from measured speed, cost, margin and traffic, with the arithmetic."""
    from headway.serving.pricing.costs import Service
    from headway.serving.pricing.proposal import propose
    from headway.serving.pricing.wording import tell_proposal

    language = choose_language(lang)
    rate, source = find_speed(package, rows_per_second, data, language)
    monthly = find_traffic(traffic, store, model or (None if package is None else _name_of(package)))
    service = Service(rate, machine_price, monthly, read_part(busy, "--busy"), peak, machines, fixed)
    proposal = propose(service, margin=read_part(margin, "--margin"), price=ask, rival=rival)
    if as_json:
        plain = {"speed_source": source, "currency": currency, **dataclasses.asdict(proposal)}
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    for line in tell_proposal(proposal, currency=currency, source=source, language=language):
        typer.echo(line)


def find_speed(package: Path | None, given: float | None, data: str | None, language: Language) -> tuple[float, str]:
    """Return rows a second and where the figure is from; raises `InputError` where there is none."""
    zh = language == "zh"
    if given is not None:
        return given, "由 --rows-per-second 给出" if zh else "as given"
    if package is None:
        raise InputError("the speed is not known", expected="a package, or --rows-per-second")
    from headway import runtime
    from headway.cli.places import find_package

    found = find_package(package)
    if data is not None:
        from headway.data.reading import read
        from headway.package.measuring import measure
        from headway.training.trial import columns_of

        measured = measure(found, columns_of(read(data).rows.head(2000)), memory=False)
        return measured.rows_per_second, "刚在本机测得" if zh else "measured here and now"
    rate = runtime.load(found).manifest.measured.get("rows_per_second", math.nan)
    if not rate > 0:
        raise InputError("the package tells no speed", where=str(found), fix="measure it: --data ROWS.csv")
    return rate, "打包时批量测得；经 HTTP 会更低" if zh else "in bulk, measured at packaging; over HTTP it is less"


def find_traffic(given: str | None, store: str | None, model: str | None) -> float:
    """Return predictions a month, as given or as the store's last 30 days tell; raises `InputError`.

    Where the store keeps a share of the requests, all of them are reckoned from it.
    """
    if given is not None:
        return read_count(given)
    if store is None:
        raise InputError("the traffic is not known", expected="--traffic such as 2M, or --store")
    from headway.serving.store.opening import open_store
    from headway.serving.store.reading import read_models, read_traffic

    now = time.time()
    since = now - 30 * 86_400
    opened = open_store(store, create=False)
    slices = read_traffic(opened, model or "", since=since, until=now, step=86_400.0)
    rows = sum(each.rows for each in slices)
    if rows == 0:
        known = ", ".join(read_models(opened))
        raise InputError(
            "the store knows no traffic of this model", where=store, expected=f"--model {known}" if known else "",
            got=model or "no package named",
        )  # fmt: skip
    seen = now - max(since, min(each.at for each in slices))
    return rows / max(seen, 86_400.0) * _MONTH


def read_count(text: str) -> float:
    """Return `500000`, `2M`, `1.5k` or `30万` as a number; raises `InputError`."""
    match = re.fullmatch(r"\s*([\d,]+(?:\.\d+)?)\s*([kKmMbB万亿]|百万)?\s*", text)
    if match is None:
        raise InputError("this is no count", where="--traffic", expected="500000, 2M or 30万", got=text)
    return float(match[1].replace(",", "")) * _COUNTS[(match[2] or "").lower()]


def read_part(text: str, option: str) -> float:
    """Return `60%` or `0.6` as a share; raises `InputError`."""
    try:
        return float(text.rstrip("%％")) / (100 if text.endswith(("%", "％")) else 1)
    except ValueError:
        raise InputError("this is no share", where=option, expected="60% or 0.6", got=text) from None


def _name_of(package: Path) -> str:
    from headway import runtime
    from headway.cli.places import find_package

    return runtime.load(find_package(package)).manifest.name
