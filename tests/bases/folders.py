"""Tiny random models in the layouts that are found in the wild."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from tests.encoders.tiny import tiny_base

__all__ = ["change_json", "sentence_folder", "shard", "text_folder"]


def text_folder(folder: Path, kind: str = "bert") -> Path:
    """An encoder as Transformers saves it."""
    tiny_base(folder, kind)
    return folder


def sentence_folder(folder: Path, *, pooling="cls", window=32, prompts=None, card="") -> Path:
    """The same with the files of sentence-transformers around it."""
    text_folder(folder)
    (folder / "1_Pooling").mkdir()
    write(folder / "1_Pooling" / "config.json", {f"pooling_mode_{pooling}_token": True})
    write(folder / "sentence_bert_config.json", {"max_seq_length": window})
    write(folder / "config_sentence_transformers.json", {"prompts": prompts or {}})
    if card:
        (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


def shard(folder: Path) -> list[Path]:
    """Divide the weights into two files with an index."""
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors)
    places = {name: f"model-0000{1 + index % 2}-of-00002.safetensors" for index, name in enumerate(names)}
    for file in set(places.values()):
        save_file({name: tensors[name] for name in names if places[name] == file}, folder / file)
    write(folder / "model.safetensors.index.json", {"weight_map": places})
    (folder / "model.safetensors").unlink()
    return sorted(folder.glob("model-*"))


def change_json(path: Path, **changes) -> None:
    """Set keys of a JSON file, and take out those that are None."""
    content = json.loads(path.read_text()) if path.exists() else {}
    write(path, {key: value for key, value in {**content, **changes}.items() if value is not None})


def write(path: Path, content) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "model.safetensors")
