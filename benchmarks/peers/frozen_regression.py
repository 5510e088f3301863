"""A logistic regression over the mean-pooled outputs of an encoder that stays as it is.

    python frozen_regression.py TRAIN TEST BASE

TRAIN and TEST are CSV files with the columns text and label. The last line that it prints is JSON: the accuracy on
TEST, and the seconds for everything.
"""

import json
import sys
import time

import numpy as np
import polars as pl
import torch
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

BATCH = 32


def main() -> None:
    train, test = (pl.read_csv(path) for path in sys.argv[1:3])
    base = sys.argv[3]
    began = time.perf_counter()
    tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModel.from_pretrained(base).eval()
    prefix = "query: " if "e5" in base else ""
    x, z = (encode(tokenizer, model, [prefix + text for text in table["text"]]) for table in (train, test))
    head = LogisticRegression(max_iter=1000).fit(x, train["label"].to_numpy())
    accuracy = head.score(z, test["label"].to_numpy())
    print(json.dumps({"accuracy": accuracy, "seconds": time.perf_counter() - began}))


@torch.inference_mode()
def encode(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, texts: list[str]) -> np.ndarray:
    parts = []
    for start in range(0, len(texts), BATCH):
        batch = tokenizer(
            texts[start : start + BATCH], padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        mask = batch["attention_mask"][..., None]
        parts.append(((model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)).numpy())
    return np.concatenate(parts)


if __name__ == "__main__":
    main()
