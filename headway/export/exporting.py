"""One package to one target."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from headway.errors import ExportError
from headway.export.content import Content, Options
from headway.export.packed import Packed, open_packed
from headway.export.writing import write_export

Target = Literal["onnx", "docker", "kubernetes", "browser", "gguf", "transformers"]
# Where packages that write text go, and no others.
_FOR_TEXT = ("gguf", "transformers")


@dataclass(frozen=True)
class Exported:
    """The folder that was written, its size in bytes, and what to know about it."""

    target: Target
    folder: Path
    size: int
    remarks: tuple[str, ...] = ()


def export(
    package: str | Path,
    target: Target,
    *,
    out: str | Path | None = None,
    image: str | None = None,
    base: str | None = None,
    runtime: str | Path | None = None,
) -> Exported:
    """Write a package (a folder or a `.headway` file) for `target` into the folder `out`, `<name>-<target>` by default.

    An earlier export in that folder is replaced as a whole. See `Options` for the other arguments. Raises
    `PackageError` for a package that does not open, and `ExportError` for a folder that holds something else, a tool
    that is missing, and an export that does not answer as the package does.
    """
    if target not in get_args(Target):
        raise ExportError("there is no such target", expected=", ".join(get_args(Target)), got=str(target))
    packed = open_packed(Path(package))
    _check_task(packed, target)
    _check_targets(packed, target)
    folder = Path(out) if out is not None else Path(f"{packed.slug}-{target}")
    options = Options(check_image(image), base, Path(runtime) if runtime is not None else None)
    content = _maker(target)(packed, options)
    write_export(folder, target, packed, content.files)
    return Exported(target, folder, sum(map(len, content.files.values())), content.remarks)


def _check_task(packed: Packed, target: Target) -> None:
    """Raise `ExportError` where a package cannot go to a target: what writes text has targets of its own."""
    writes = packed.manifest.task == "generate"
    if writes != (target in _FOR_TEXT):
        wrong = f"only packages that write text go to {target}"
        raise ExportError(
            "a package that writes text cannot go there yet" if writes else wrong,
            expected="--to gguf or transformers" if writes else "--to onnx, docker, kubernetes or browser",
            got=f"--to {target}", fix="serve it with headway serve, or name one of those targets",
        )  # fmt: skip


def _check_targets(packed: Packed, target: Target) -> None:
    """Raise `ExportError` where a package of several targets cannot go to a target yet."""
    if packed.manifest.targets and target == "browser":
        raise ExportError(
            "a package of several targets cannot go there yet",
            expected="--to onnx, docker or kubernetes", got=f"--to {target}",
            fix="serve it with headway serve, or name one of those targets",
        )  # fmt: skip


def check_image(name: str | None) -> str | None:
    """Return the name of an image if it is one; raises `ExportError` otherwise."""
    if name is not None and not re.fullmatch(r"[a-z0-9][a-z0-9._:/-]*(@sha256:[0-9a-f]{64})?", name):
        raise ExportError("this is no name of an image", expected="such as registry.example/reviews:1", got=name)
    return name


def _maker(target: Target) -> Callable[[Packed, Options], Content]:
    """Return the function that makes the files for `target`; its room is imported only when it is used."""
    if target == "onnx":
        from headway.export.onnx import make_graph

        return make_graph
    if target == "docker":
        from headway.export.docker import make_image

        return make_image
    if target == "gguf":
        from headway.export.gguf import make_gguf

        return make_gguf
    if target == "transformers":
        from headway.export.transformers import make_folder

        return make_folder
    if target == "kubernetes":
        from headway.export.kubernetes import make_manifests

        return make_manifests
    from headway.export.browser import make_site

    return make_site
