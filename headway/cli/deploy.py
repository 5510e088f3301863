"""`headway deploy`: exchange a package under load."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from headway.cli.messages import choose_language, say


def deploy(
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run.")
    ],
    *,
    url: Annotated[str, typer.Option(help="Where the service is.")] = "http://127.0.0.1:8000",
    name: Annotated[str | None, typer.Option(help="The name it answers to; its own by default.")] = None,
    key: Annotated[
        str | None, typer.Option(help="API key with the right to deploy; HEADWAY_KEY by default.", envvar="HEADWAY_KEY")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(help="Certificate (PEM) to trust over HTTPS, such as a self-signed service's own.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also where it reads or answers other things, or is measured worse.")
    ] = False,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Prove a package beside the running one, warm it up, and let it take over without a failed request."""
    from headway.cli.places import find_package
    from headway.serving.client import Client

    language = choose_language(lang)
    with Client(url, key=key or os.environ.get("HEADWAY_KEY"), verify=True if ca is None else ca) as client:
        found = client.deploy(find_package(package), name=name, force=force)
    words = {"replaces": "-", **{key: value if value is not None else "-" for key, value in found.items()}}
    done = "deploy:done" if "row_ms" in words else "deploy:writes"
    typer.echo(say(done, language).format(**words))
    if "metric" in found:
        score = {"before": f"{found['before']:.4g}", "now": f"{found['now']:.4g}", "metric": found["metric"]}
        typer.echo(say("deploy:score", language).format(**score))
