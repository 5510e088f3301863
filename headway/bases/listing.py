"""What base models there are: usable right now on this machine, or within reach of `headway bases get`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headway.bases.base import Base, BaseKind
from headway.bases.cached import find_carried, find_kept
from headway.bases.catalogue import CATALOGUE, Known
from headway.bases.folders import describe_folder
from headway.bases.hub import list_cached
from headway.bases.packages import list_packaged
from headway.bases.tokenizing import guess_languages, read_tokenizer
from headway.errors import BaseModelError, MissingExtraError


@dataclass(frozen=True)
class Offer:
    """A base model that can be named.

    `state`: `ready` to be opened, `installed` in packages and unpacked at its first use, `known` and to be fetched, or
    `broken` (`problem` says how). `size_mb`: its weights in float32; `download_mb`: what fetching it moves.
    """

    name: str
    kind: BaseKind | None
    state: Literal["ready", "installed", "known", "broken"]
    languages: tuple[str, ...] = ()
    licence: str = "unknown"
    parameters: int = 0
    embedding_parameters: int = 0
    size_mb: float = 0.0
    download_mb: float = 0.0
    is_sentence: bool = False
    where: str = ""
    problem: str = ""

    @property
    def usable(self) -> bool:
        """Tell whether it can be opened without a network."""
        return self.state in {"ready", "installed"}


def list_offers() -> tuple[Offer, ...]:
    """Return all base models that this machine has, then those that could be fetched; nothing is opened or fetched."""
    offers = [*_list_known(), *_list_others()]
    order = ("ready", "installed", "broken", "known")
    return tuple(sorted(offers, key=lambda offer: (order.index(offer.state), offer.kind or "", offer.name.lower())))


def _list_known() -> Iterator[Offer]:
    for known in CATALOGUE.values():
        folder = find_kept(known)
        if folder is not None:
            yield _describe(known.name, folder, "a Python package", known)
        else:
            carried = find_carried(known)
            yield _offer_known(known, "known" if carried is None else "installed")


def _list_others() -> Iterator[Offer]:
    """Yield models in the hub's cache and in packages that the catalogue does not name."""
    catalogued = {wheel.distribution for known in CATALOGUE.values() for wheel in known.wheels}
    for name, folder in list_packaged():
        if name.lower().replace("_", "-") not in catalogued:
            yield _describe(name, folder, "a Python package", None)
    for name, folder in list_cached():
        if (folder / "config.json").exists():  # the cache also holds data, adapters and parts of models
            yield _describe(name, folder, "the Hugging Face hub's cache", None)


def _describe(name: str, folder: Path, source: str, known: Known | None) -> Offer:
    """Return a model that lies in a folder, or what is wrong with it."""
    try:
        base = describe_folder(folder, name=name, source=source)
    except BaseModelError as error:
        return Offer(name, None, "broken", where=source, problem=error.problems[0].what)
    return Offer(
        name,
        base.kind,
        "ready",
        base.languages or (known.languages if known else _guess_languages(base)),
        base.licence,
        base.parameters,
        base.embedding_parameters,
        base.size_mb,
        is_sentence=base.is_sentence,
        where=source,
    )


def _guess_languages(base: Base) -> tuple[str, ...]:
    """Return what opening the base would guess where no card names its languages; nothing where it cannot be read."""
    if base.kind == "image_encoder":
        return ()
    try:
        return guess_languages(read_tokenizer(base.folder))
    except (BaseModelError, MissingExtraError):
        return ()


def _offer_known(known: Known, state: Literal["installed", "known"]) -> Offer:
    return Offer(
        known.name,
        known.kind,
        state,
        known.languages,
        known.licence,
        known.parameters,
        known.embedding_parameters,
        known.size_mb,
        known.megabytes,
        is_sentence=known.kind == "text_encoder",
        where=" + ".join(wheel.distribution for wheel in known.wheels),
    )
