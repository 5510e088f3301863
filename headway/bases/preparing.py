"""A folder that lacks something, completed in the cache: safetensors for pickles, a fast tokenizer for a slow one."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headway.bases.tensors import read_tensors
from headway.bases.tokenizing import SLOW, TOKENIZER
from headway.bases.unpacking.pickled import read_pickled
from headway.bases.unpacking.timm import unpack_timm
from headway.bases.weights import SAFE, find_weights
from headway.compute.caches import cache_folder
from headway.compute.drafts import whole_folder
from headway.errors import BaseModelError, MissingExtraError

PREPARED, CARD = "prepared", "README.md"
_NEVER_TAKEN = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".py", ".h5", ".msgpack", ".onnx", ".index.json")


def complete_folder(folder: Path, *, reads_texts: bool) -> tuple[Path, tuple[str, ...]]:
    """Return a folder with safetensors and, for texts, `tokenizer.json`, and notes of what had to be converted.

    It is `folder` itself where nothing is lacking, else one in the cache that links to it. Raises `BaseModelError`
    where something cannot be converted.
    """
    pickled = find_weights(folder).is_pickled
    slow = reads_texts and not (folder / TOKENIZER).is_file() and any((folder / name).is_file() for name in SLOW)
    if not pickled and not slow:
        return folder, ()
    notes = []
    if pickled:
        notes.append("its weights were pickled: they were read as plain numbers and kept as safetensors in the cache")
    if slow:
        notes.append(f"it has no {TOKENIZER}: one was made from its vocabulary and kept in the cache")
    target = cache_folder("bases") / PREPARED / file_key(sorted(path for path in folder.iterdir() if path.is_file()))
    if not target.is_dir():
        with whole_folder(target) as draft:
            _link_rest(folder, draft, keep_safe=not pickled)
            if pickled:
                _convert_weights(find_weights(folder).files, draft / SAFE)
            if slow:
                _convert_tokenizer(folder, draft)
    return target, tuple(notes)


def rename_timm(folder: Path, config: Mapping[str, Any]) -> tuple[Path, tuple[str, ...]]:
    """Return the folder in the cache that one in timm's layout became, and a note of that."""
    target = cache_folder("bases") / PREPARED / file_key(sorted(path for path in folder.iterdir() if path.is_file()))
    if not target.is_dir():
        weights = find_weights(folder)
        if weights.is_pickled:
            pickled = {name: tensor for file in weights.files for name, tensor in read_pickled(file).items()}
            tensors = {name: (t.float() if t.is_floating_point() else t).numpy() for name, t in pickled.items()}
        else:
            tensors = read_tensors(folder)
        with whole_folder(target) as draft:
            unpack_timm(config, tensors, draft, where=str(folder))
            if (folder / CARD).is_file():
                shutil.copyfile(folder / CARD, draft / CARD)
    return target, ("it is in timm's layout: its tensors were renamed for Transformers and kept in the cache",)


def file_key(files: Sequence[Path]) -> str:
    """Return a name that changes when one of the files does: its place, size or time."""
    facts = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()


def _link_rest(folder: Path, draft: Path, *, keep_safe: bool) -> None:
    """Link or copy everything but pickles and code."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if not path.is_file() or hidden or path.name.endswith(_NEVER_TAKEN) or len(name.parts) > 2:
            continue
        if path.suffix == ".safetensors" and not keep_safe:
            continue
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(path, draft / name)


def link_or_copy(source: Path, target: Path) -> None:
    """Link to a large file where the system allows it, else copy it."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _convert_weights(files: Sequence[Path], target: Path) -> None:
    from safetensors.torch import save_file

    # Tied tensors share memory, which safetensors does not keep; a copy of each is as good.
    tensors = {name: tensor.clone().contiguous() for file in files for name, tensor in read_pickled(file).items()}
    save_file(tensors, target, metadata={"format": "pt"})


def _convert_tokenizer(folder: Path, draft: Path) -> None:
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtraError("deep", purpose="converting a tokenizer") from error
    try:
        AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True).save_pretrained(draft)
    except Exception as error:  # noqa: BLE001 - each tokenizer class fails in its own way
        raise _unconverted(folder, str(error)) from None
    if not (draft / TOKENIZER).is_file():
        raise _unconverted(folder, "no fast tokenizer came of it")


def _unconverted(folder: Path, got: str) -> BaseModelError:
    return BaseModelError(
        "the tokenizer cannot be converted",
        where=str(folder),
        expected=f"a {TOKENIZER}, or a vocabulary that Transformers knows",
        got=got.split("\n", maxsplit=1)[0][:200],
        fix=f"add the {TOKENIZER} of this model, or take another base",
    )
