"""The files of the page: ours, onnxruntime-web's, and the package, tried together before they are handed on."""

from __future__ import annotations

import json
from importlib import resources
from importlib.resources.abc import Traversable

from headway.errors import ExportError
from headway.export.browser.trying import try_site
from headway.export.browser.webruntime import find_web_runtime
from headway.export.content import Content, Options
from headway.export.packed import Packed
from headway.export.words import Language, say
from headway.report.translation import name_metric


def make_site(packed: Packed, options: Options) -> Content:
    """Return a page that needs nothing but a static server.

    The page's modules are run in Node.js over rows of every kind the package reads, and must answer as the Python
    runtime does. Raises `ExportError` where onnxruntime-web cannot be had, lacks an operator of the graph, or answers
    differently. Without Node.js the page is written untried, with a remark.
    """
    if packed.manifest.history is not None:
        raise ExportError(
            "a package with a history cannot run in a browser",
            expected="a package that needs no rows of the past",
            got="history: in its project",
            fix="serve it with headway serve, or take it elsewhere with --to docker",
        )
    if any(feed.kind == "row" for feed in packed.manifest.feeds):
        raise ExportError(
            "a package that writes rows as texts cannot run in a browser",
            expected="feeds of single columns",
            fix="serve it with headway serve, or take it elsewhere with --to docker",
        )
    runtime = find_web_runtime(options.runtime)
    files = {
        **_read_static(resources.files("headway.export.browser").joinpath("static")),
        "metrics.js": _metric_names(packed),
        **{f"onnxruntime/{name}": content for name, content in runtime.files.items()},
        **{f"package/{name}": content for name, content in packed.all_files.items()},
    }
    tried = try_site(packed, files)
    size = sum(len(content) for name, content in files.items()) / 2**20
    notes = {
        "README.md": _note(packed, runtime.version, size, "en").encode(),
        "README.zh.md": _note(packed, runtime.version, size, "zh").encode(),
    }
    return Content({**files, **notes}, () if tried else ("untried",))


def _read_static(folder: Traversable, place: str = "") -> dict[str, bytes]:
    """Return the files of the page that are the same for every package."""
    files: dict[str, bytes] = {}
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            files.update(_read_static(entry, f"{place}{entry.name}/"))
        else:
            files[place + entry.name] = entry.read_bytes()
    return files


def _metric_names(packed: Packed) -> bytes:
    """Return what the package's metrics are called, as a module of the page."""
    names = {name: {"en": name_metric(name, "en"), "zh": name_metric(name, "zh")} for name in packed.manifest.metrics}
    return f"export const METRICS = {json.dumps(names, ensure_ascii=False, indent=2)};\n".encode()


def _note(packed: Packed, version: str, size: float, lang: Language) -> str:
    """Return how to serve the page and how to use its modules, in Markdown."""
    row = {name: cell for name, cell in packed.example.items() if cell is not None}
    example = json.dumps(row, ensure_ascii=False)
    return say("browser:note", lang).format(name=packed.manifest.name, runtime=version, size=size, example=example)
