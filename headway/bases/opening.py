"""From what a user writes after `base:` to a base model that is ready to be loaded."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from headway.bases.base import Base
from headway.bases.folders import CONFIG, describe_folder, read_config
from headway.bases.tokenizing import TOKENIZER, guess_languages, read_tokenizer, settle_padding
from headway.bases.weights import find_weights
from headway.errors import BaseModelError

_CHUNK = 1 << 22


def open_base(name: str, *, folder: Path = Path()) -> Base:
    """Open the base model that `name` names: a local folder; relative paths start at `folder`.

    Raises `BaseModelError` where it is not there, broken, or may not be opened.
    """
    return open_folder(folder / Path(name).expanduser(), name=name, source="a local folder")


def open_folder(folder: Path, *, name: str, source: str) -> Base:
    """Open the base model in a folder: everything about it is settled and its content has a digest."""
    base = describe_folder(folder, name=name, source=source)
    if base.kind != "image_encoder":
        tokenizer = read_tokenizer(base.folder)
        padding = settle_padding(base.folder, tokenizer, read_config(base.folder).get("pad_token_id"))
        notes = (*base.notes, padding.note) if padding.note else base.notes
        languages = base.languages or guess_languages(tokenizer)
        base = replace(base, pad_id=padding.id, notes=notes, languages=languages)
    return replace(base, digest=_digest(base))


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


__all__ = ["BaseModelError", "open_base", "open_folder"]
