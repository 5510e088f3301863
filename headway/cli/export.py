"""`headway export`: take a package elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from headway.cli.messages import choose_language, say


def export(
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE_OR_RUN", help="A package folder, a .headway file or a run.")
    ],
    *,
    to: Annotated[
        Literal["onnx", "docker", "kubernetes", "browser", "gguf", "transformers"],
        typer.Option(
            help="The plain graph, a container image, manifests, a page, a file for llama.cpp, a Transformers folder."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="The folder to write; <name>-<target> without it.")] = None,
    image: Annotated[
        str | None, typer.Option(help="docker, kubernetes: the image's name and tag, such as registry/name:1.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="docker: the image to start from instead of Python's own.")] = None,
    runtime: Annotated[
        Path | None, typer.Option(help="browser: a folder with onnxruntime-web, instead of fetching it with npm.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language of what is said: en or zh.")] = None,
) -> None:
    """Write a package as an ONNX graph, an image, Kubernetes manifests, a page, or for llama.cpp or Transformers."""
    from headway.cli.places import find_package
    from headway.export import export as write
    from headway.report.figures import write_megabytes

    language = choose_language(lang)
    done = write(find_package(package), to, out=out, image=image, base=base, runtime=runtime)
    size = write_megabytes(done.size / 2**20)
    typer.echo(say("export:done", language).format(folder=done.folder, size=size))
    for remark in done.remarks:
        typer.echo(say(f"export:{remark}", language), err=True)
    readme = "README.zh.md" if language == "zh" else "README.md"
    typer.echo(say("export:next", language).format(path=done.folder / readme))
