"""Encode texts as a peer does, once for each line read; answer the seconds of each time as a line.

    python encode_texts.py transformers|sentence_transformers BASE TEXTS

TEXTS is a JSON list of strings. `transformers` is what a user writes by hand: batches of 32 in the order given, mean
pooling. `sentence_transformers` is its `encode` as it comes.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

BATCH = 32


def main() -> None:
    way, base, path = sys.argv[1:4]
    texts = json.loads(Path(path).read_text(encoding="utf-8"))
    encode = {"transformers": by_hand, "sentence_transformers": by_library}[way](base)
    for _ in sys.stdin:
        began = time.perf_counter()
        encode(texts)
        print(time.perf_counter() - began, flush=True)


def by_hand(base: str) -> Callable[[list[str]], object]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModel.from_pretrained(base).eval()

    @torch.inference_mode()
    def encode(texts: list[str]) -> object:
        parts = []
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(
                texts[start : start + BATCH], padding=True, truncation=True, max_length=256, return_tensors="pt"
            )
            mask = batch["attention_mask"][..., None]
            parts.append((model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1))
        return torch.cat(parts).numpy()

    return encode


def by_library(base: str) -> Callable[[list[str]], object]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(base, device="cpu")
    return lambda texts: model.encode(texts, show_progress_bar=False)


if __name__ == "__main__":
    main()
