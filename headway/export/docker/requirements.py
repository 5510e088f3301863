"""Exactly what an image must install to serve a package, with the versions that run here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from headway.errors import MissingExtraError

# What the runtime and the command line import; training needs far more, and none of it is in the image.
_RUNTIME = ("numpy", "onnxruntime", "pillow", "rich", "typer")
# Named by onnxruntime and tokenizers for what serving never does (shape inference, downloads); larger than the server.
_UNUSED = frozenset({"sympy", "huggingface-hub"})
# The image is Linux, wherever it is described.
_LINUX = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "sys_platform": "linux",
    "python_version": f"{sys.version_info[0]}.{sys.version_info[1]}",
    "python_full_version": ".".join(map(str, sys.version_info[:3])),
}


def needed_distributions(*, tokens: bool) -> dict[str, str]:
    """Return the distributions that serving needs with all that they need: name -> "==" and the version here.

    One that only Linux needs and that is not here keeps the range it is asked for in. Raises `MissingExtraError` where
    anything else is not installed.
    """
    extras = {"serve", "tokens"} if tokens else {"serve"}
    found: dict[str, str] = {}
    waiting = [(Requirement(name), True) for name in _RUNTIME]
    for extra in sorted(extras):
        waiting += _extra(extra)
    while waiting:
        need, is_here = waiting.pop()
        name = canonicalize_name(need.name)
        if name in _UNUSED or (name in found and not need.extras):
            continue
        try:
            found[name] = f"=={version(name)}"
        except PackageNotFoundError as error:
            if is_here:
                raise _missing("tokens" if name == "tokenizers" else "serve") from error
            found[name] = str(need.specifier)
            continue
        for extra in ("", *need.extras):
            waiting += _requirements(name, extra)
    return dict(sorted(found.items()))


def write_requirements(distributions: dict[str, str]) -> str:
    """Return them as pip reads them."""
    return "".join(f"{name}{wanted}\n" for name, wanted in distributions.items())


def _extra(extra: str) -> list[tuple[Requirement, bool]]:
    """Return what one of Headway's extras names, without the core."""
    named = [(need, is_here) for need, is_here in _requirements("headway", extra) if extra in str(need.marker)]
    if not named:
        raise _missing(extra)
    return named


def _missing(extra: str) -> MissingExtraError:
    return MissingExtraError(extra, purpose="describing an image that serves the package")


def _requirements(distribution: str, extra: str) -> Iterator[tuple[Requirement, bool]]:
    """Yield what a distribution needs on Linux with `extra` ("" for none), and whether it needs it here too."""
    for line in requires(distribution) or []:
        need = Requirement(line)
        if need.marker is None:
            yield need, True
        elif need.marker.evaluate({**_LINUX, "extra": extra}):
            yield need, need.marker.evaluate({"extra": extra})
