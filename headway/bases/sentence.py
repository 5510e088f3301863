"""How a text encoder wants to be read: pooling, prefix and window, from the files of sentence-transformers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from headway.bases.architectures import POSITIONS_AFTER_PADDING
from headway.errors import BaseModelError

# Attention costs grow with the square of the length; a longer window is used where the folder itself asks for it.
WINDOW = 512
# Wang et al. 2022, "Text Embeddings by Weakly-Supervised Contrastive Pre-training": every text has a prefix, which
# the folders of these models do not name.
_E5 = re.compile(r"(?:^|[/_\-])e5-(?:small|base|large)(?!.*instruct)", re.IGNORECASE)
_PREFERRED_PROMPTS = ("classification", "query")
_NO_LIMIT = 1_000_000  # tokenizers without a limit say 10^30


@dataclass(frozen=True)
class Sentence:
    """`is_sentence`: the folder says how its tokens become one vector; `max_length` in tokens."""

    pooling: Literal["mean", "cls"] = "mean"
    prefix: str = ""
    max_length: int = WINDOW
    is_sentence: bool = False


def read_sentence(folder: Path, config: Mapping[str, Any], *, name: str) -> Sentence:
    """Return how the encoder in `folder` wants its texts; its positions bound the window whatever else is said."""
    pooling = read_json(folder / "1_Pooling" / "config.json")
    known_e5 = _E5.search(name) is not None
    prefix = _read_prefix(read_json(folder / "config_sentence_transformers.json"))
    if prefix is None:
        prefix = "query: " if known_e5 else ""
    return Sentence(
        "cls" if pooling.get("pooling_mode_cls_token") or pooling.get("pooling_mode") == "cls" else "mean",
        prefix,
        _read_window(folder, config),
        bool(pooling) or known_e5,
    )


def read_window(config: Mapping[str, Any]) -> int | None:
    """Return how many tokens the position embeddings of a configuration reach, or None where it does not say."""
    positions = config.get("max_position_embeddings", config.get("n_positions"))
    if not isinstance(positions, int) or positions < 1:
        return None
    if config.get("model_type") in POSITIONS_AFTER_PADDING:
        return positions - int(config.get("pad_token_id") or 0) - 1
    return positions


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping in a JSON file, empty where there is no file; raises `BaseModelError` where it is broken."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BaseModelError("the file cannot be read", where=str(path), got=str(error), fix="fetch it again") from None
    return content if isinstance(content, dict) else {}


def _read_prefix(settings: Mapping[str, Any]) -> str | None:
    """Return what stands before every text: the default prompt, or the one for classifying; None where none is told."""
    prompts = settings.get("prompts")
    if not isinstance(prompts, Mapping):
        return None
    names = [settings.get("default_prompt_name"), *_PREFERRED_PROMPTS]
    found = next((prompts[name] for name in names if name in prompts), None)
    return found if isinstance(found, str) else None


def _read_window(folder: Path, config: Mapping[str, Any]) -> int:
    """Return the shortest of the windows that the folder's files name."""
    wanted = read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    limit = read_json(folder / "tokenizer_config.json").get("model_max_length")
    own = _as_length(wanted)
    bounds = [own or WINDOW, _as_length(limit), _as_length(read_window(config))]
    return min(bound for bound in bounds if bound is not None)


def _as_length(bound: Any) -> int | None:
    is_number = isinstance(bound, int | float) and not isinstance(bound, bool)
    return int(bound) if is_number and 1 <= bound < _NO_LIMIT else None
