"""One run of Transformers' Trainer: full fine-tuning, its defaults but for batches of 16 as in its guide.

    python transformers_trainer.py TRAIN TEST BASE EPOCHS

TRAIN and TEST are CSV files with the columns text and label. The last line that it prints is JSON: the accuracy on
TEST, and the seconds to train, tokenising included.
"""

import json
import sys
import tempfile
import time

import numpy as np
import polars as pl
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
)


class Rows(torch.utils.data.Dataset):
    """Tokens and labels of a table."""

    def __init__(self, table: pl.DataFrame, tokenizer: PreTrainedTokenizerBase, labels: list[int]) -> None:
        self.encoded = tokenizer(table["text"].to_list(), truncation=True, max_length=256)
        self.labels = [labels.index(label) for label in table["label"].to_list()]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> dict[str, object]:
        return {**{name: values[row] for name, values in self.encoded.items()}, "labels": self.labels[row]}


def main() -> None:
    train, test = (pl.read_csv(path) for path in sys.argv[1:3])
    base, epochs = sys.argv[3], float(sys.argv[4])
    labels = sorted(train["label"].unique().to_list())
    began = time.perf_counter()
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(labels))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_train_epochs=epochs,
            per_device_train_batch_size=16,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=not torch.cuda.is_available(),
        )
        collator = DataCollatorWithPadding(tokenizer)
        trainer = Trainer(model, arguments, train_dataset=Rows(train, tokenizer, labels), data_collator=collator)
        trainer.train()
        seconds = time.perf_counter() - began
        answers = trainer.predict(Rows(test, tokenizer, labels))
    accuracy = float((np.argmax(answers.predictions, 1) == answers.label_ids).mean())
    print(json.dumps({"accuracy": accuracy, "seconds": seconds}))


if __name__ == "__main__":
    main()
