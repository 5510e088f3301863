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

Pooling = Literal["mean", "cls"]
# Attention costs grow with the square of the length; a longer window is used where the folder itself asks for it.
WINDOW = 512
# Wang et al. 2022, "Text Embeddings by Weakly-Supervised Contrastive Pre-training": every text has a prefix, which
# the folders of these models do not name.
_E5 = re.compile(r"(?:^|[/_\-])e5-(?:small|base|large)(?!.*instruct)", re.IGNORECASE)
_PREFERRED_PROMPTS = ("classification", "query")
# What sentence-transformers calls the ways from tokens to one vector that are known here: flags, and newer words.
_POOLINGS: Mapping[str, Pooling] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "cls": "cls",
    "mean": "mean",
}
_NO_LIMIT = 1_000_000  # tokenizers without a limit say 10^30


@dataclass(frozen=True)
class Sentence:
    """`is_sentence`: the folder says how its tokens become one vector; `max_length` in tokens."""

    pooling: Pooling = "mean"
    prefix: str = ""
    max_length: int = WINDOW
    is_sentence: bool = False


def read_sentence(folder: Path, config: Mapping[str, Any], *, name: str) -> Sentence:
    """Return how the encoder in `folder` wants its texts; its positions bound the window whatever else is said.

    Raises `BaseModelError` where its tokens become one vector in a way that is not known here.
    """
    place = folder / "1_Pooling" / "config.json"
    pooling = read_json(place)
    known_e5 = _E5.search(name) is not None
    prefix = _read_prefix(read_json(folder / "config_sentence_transformers.json"))
    if prefix is None:
        prefix = "query: " if known_e5 else ""
    return Sentence(
        _read_pooling(pooling, place),
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


def _read_pooling(settings: Mapping[str, Any], place: Path) -> Pooling:
    """Return how tokens become one vector, the mean where nothing is said."""
    named = settings.get("pooling_mode") or ()
    modes = [named] if isinstance(named, str) else [str(mode) for mode in named]
    modes += [name for name, is_on in settings.items() if name.startswith("pooling_mode_") and is_on is True]
    found = {_POOLINGS.get(mode) for mode in modes} or {"mean"}
    pooling = found.pop()
    if found or pooling is None:
        raise BaseModelError(
            "the vectors of this model are pooled in a way that is not known here",
            where=str(place),
            expected="the mean over the tokens, or the first token (cls)",
            got=" + ".join(mode.removeprefix("pooling_mode_") for mode in modes),
            fix="take another base: headway bases lists those that open",
        )
    return pooling


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
