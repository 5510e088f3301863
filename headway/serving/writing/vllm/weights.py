"""The weights of a package as vLLM reads them: a folder in the layout of Transformers, written once and kept."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from headway.bases.folders import read_config
from headway.compute.caches import cache_folder
from headway.compute.drafts import whole_folder
from headway.decoders.reading import to_config
from headway.decoders.saving import transformers_files
from headway.decoders.stack import DecoderConfig
from headway.runtime.archive import MODEL
from headway.runtime.manifest import Manifest
from headway.runtime.manifest_json import to_json

# Counted up where the same package would be written otherwise.
_EDITION = 1
# Folders that are kept: those used last.
_KEPT = 4


def weights_folder(manifest: Manifest, files: Mapping[str, bytes]) -> Path:
    """Return the folder of a package, named by the digest of its manifest, which holds those of all its files.

    Raises what `transformers_files` raises; a folder that is there is there as a whole.
    """
    facts = manifest.generation
    assert facts is not None
    digest = hashlib.sha256(to_json(manifest).encode()).hexdigest()[:32]
    target = cache_folder("vllm") / f"{digest}-{_EDITION}"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(target) as draft:
            for name, content in transformers_files(files[MODEL], files[facts.tokenizer], facts):
                (draft / name).write_bytes(content)
    os.utime(target)
    _forget_old(target.parent)
    return target


def read_sizes(folder: Path) -> DecoderConfig:
    """Return the sizes of the decoder in a folder."""
    return to_config(read_config(folder), where=str(folder))


def _forget_old(folder: Path) -> None:
    """Delete all but the folders used last."""
    found = sorted((each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")),
                   key=lambda each: -each.stat().st_mtime)  # fmt: skip
    for old in found[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
