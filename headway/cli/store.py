"""`headway store`: what was kept of production, and how it is forgotten."""

from __future__ import annotations

import dataclasses
import json
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from headway.cli.messages import choose_language
from headway.errors import StoreError

store = typer.Typer(help="Look at kept predictions; delete old ones, or a person's.", no_args_is_help=True)

_Store = Annotated[str, typer.Option("--store", help="sqlite:///FILE or postgresql://USER@HOST/NAME.")]
_Lang = Annotated[str | None, typer.Option("--lang", help="Language of what is said: en or zh.")]
_USUAL = "sqlite:///headway.db"


@store.command()
def show(
    *,
    url: _Store = _USUAL,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    lang: _Lang = None,
) -> None:
    """Show how much is kept, and the latest alarms."""
    from headway.serving.store.alarms import read_alarms
    from headway.serving.store.opening import open_store
    from headway.serving.store.reading import read_stored

    opened = open_store(url, create=False)
    stored, alarms = read_stored(opened), read_alarms(opened)[:20]
    if as_json:
        plain = {**dataclasses.asdict(stored), "alarms": [dataclasses.asdict(alarm) for alarm in alarms]}
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    zh = choose_language(lang) == "zh"
    counts = (f"{stored.predictions:,}", f"{stored.feedback:,}", f"{stored.subjects:,}")
    typer.echo(
        "{} 条预测，{} 条反馈，{} 位用户".format(*counts)
        if zh
        else "{} predictions, {} answers, {} users".format(*counts)
    )
    if stored.oldest is not None and stored.newest is not None:
        typer.echo(f"  {_day(stored.oldest)} {'至' if zh else 'to'} {_day(stored.newest)}")
    for alarm in alarms:
        typer.echo(f"! {_day(alarm.at)}  {alarm.kind}  {alarm.model}: {alarm.message}")


@store.command()
def prune(
    *,
    older_than: Annotated[str, typer.Option(help="Age such as 90d or 12h.")],
    url: _Store = _USUAL,
    lang: _Lang = None,
) -> None:
    """Delete predictions, feedback and alarms older than an age."""
    from headway.project.units import read_seconds
    from headway.serving.store.deleting import prune as delete
    from headway.serving.store.opening import open_store

    try:
        age = float(str(read_seconds(older_than)))
    except ValueError as error:
        raise StoreError("this is no age", where="--older-than", expected=str(error), got=older_than) from error
    gone = delete(open_store(url, create=False), before=time.time() - age)
    zh = choose_language(lang) == "zh"
    typer.echo(
        f"已删除 {gone.predictions:,} 条预测、{gone.feedback:,} 条反馈、{gone.alarms:,} 条告警"
        if zh
        else f"deleted {gone.predictions:,} predictions, {gone.feedback:,} answers, {gone.alarms:,} alarms"
    )


@store.command()
def forget(
    subject: Annotated[str, typer.Argument(metavar="USER_ID", help="Whose predictions and feedback are deleted.")],
    *,
    url: _Store = _USUAL,
    lang: _Lang = None,
) -> None:
    """Delete everything that was kept about one user."""
    from headway.serving.store.deleting import forget_subject
    from headway.serving.store.opening import open_store

    gone = forget_subject(open_store(url, create=False), subject)
    zh = choose_language(lang) == "zh"
    typer.echo(
        f"已删除 {gone.predictions:,} 条预测和 {gone.feedback:,} 条反馈"
        if zh
        else f"deleted {gone.predictions:,} predictions and {gone.feedback:,} answers"
    )


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
