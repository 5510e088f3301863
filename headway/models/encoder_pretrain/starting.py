"""What pretraining starts from: the base of the run, or a small encoder of its own with random weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headway.bases.base import Base
from headway.compute.drafts import whole_folder
from headway.encoders.reading import tokenizer_bytes
from headway.modalities.text.tokens import token_count, train_tokenizer
from headway.models.family import Examples
from headway.networks.device import seeded

# A small encoder: of this size a few minutes on two cores teach something (about 3 million weights and the tokens).
LAYERS, WIDTH, HEADS, INNER = 4, 256, 4, 1024
WINDOW = 128
_MASKS = ("[MASK]", "<mask>", "<|mask|>")


@dataclass(frozen=True)
class Start:
    """A `base` to go on from, its mask token and the ids that are never hidden; `fresh`: its weights are random."""

    base: Base
    mask_id: int
    special: tuple[int, ...]
    fresh: bool


def texts_of(examples: Examples) -> tuple[str, ...]:
    """Return the unlabelled texts of all text columns, each once."""
    rows = examples.support.unlabelled
    if rows is None:
        return ()
    found = [text for name in examples.columns("text") for text in rows[name].drop_nulls().to_list()]
    return tuple(dict.fromkeys(text for text in found if text.strip()))


def start(examples: Examples, texts: Sequence[str], scratch: Path, *, seed: int) -> Start:
    """Return the base of the run, or an encoder made under `scratch` where there is none."""
    base = examples.support.base
    if base is not None:
        return _from_base(base)
    tokenizer = train_tokenizer(texts)
    digest = hashlib.blake2b(tokenizer + str(seed).encode(), digest_size=12).hexdigest()
    folder = scratch / f"fresh-{digest}"
    if not folder.exists():
        with whole_folder(folder) as draft:
            _write_fresh(draft, tokenizer, seed)
    count = token_count(tokenizer)
    base = Base(
        name="a small encoder of its own", folder=folder, kind="text_encoder", architecture="bert", parameters=0,
        size_mb=sum(file.stat().st_size for file in folder.iterdir()) / 1e6, languages=(), licence="none",
        digest=f"fresh-{digest}", source="this run", max_length=WINDOW,
    )  # fmt: skip
    return Start(base, count, (0, 1, count), fresh=True)


def _from_base(base: Base) -> Start:
    from tokenizers import Tokenizer

    content = tokenizer_bytes(base)
    tokenizer = Tokenizer.from_str(content.decode("utf-8"))
    added = json.loads(content).get("added_tokens") or []
    special = {int(token["id"]) for token in added if token.get("special")}
    special |= {base.pad_id, *tokenizer.encode("").ids}
    masks = [found for name in _MASKS if (found := tokenizer.token_to_id(name)) is not None]
    unknown = [found for name in ("[UNK]", "<unk>") if (found := tokenizer.token_to_id(name)) is not None]
    return Start(base, (masks or unknown or [base.pad_id])[0], tuple(sorted(special)), fresh=False)


def _write_fresh(folder: Path, tokenizer: bytes, seed: int) -> None:
    """Write a random encoder in the layout of Transformers; one id more than the tokenizer gives is the mask."""
    from transformers import BertConfig, BertModel
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]  # a run has its own
    config = BertConfig(
        vocab_size=token_count(tokenizer) + 1, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=INNER, max_position_embeddings=WINDOW, pad_token_id=0,
    )  # fmt: skip
    with seeded(seed):
        BertModel(config).save_pretrained(folder, safe_serialization=True)
    (folder / "tokenizer.json").write_bytes(tokenizer)
