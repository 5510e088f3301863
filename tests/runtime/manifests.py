"""A manifest that uses every field, for the tests."""

from headway.runtime.manifest import (
    CategoryFeed,
    CharacterFeed,
    DateFeed,
    ImageFeed,
    InputColumn,
    Manifest,
    NumberFeed,
    TokenFeed,
)

INPUTS = (
    InputColumn("review", "text", example="很好"),
    InputColumn("stars", "number", example=4.0),
    InputColumn("city", "category", categories=("北京", "Paris")),
    InputColumn("when", "date"),
    InputColumn("photo", "image"),
)
FEEDS = (
    CharacterFeed("chars:review", ("review",)),
    TokenFeed("tokens:review:01234567", ("review",), prefix="query: "),
    NumberFeed("numbers", ("stars",)),
    CategoryFeed("categories", ("city",)),
    DateFeed("dates", ("when",)),
    ImageFeed("image:photo:8x8:L", ("photo",), width=8, height=8, mode="L"),
)
FULL = Manifest(
    name="reviews",
    task="classify",
    target="label",
    inputs=INPUTS,
    feeds=FEEDS,
    labels=("bad", "good"),
    threshold=("good", 0.4),
    costs=((0.0, 1.0), (5.0, 0.0)),
    winner="ngram_linear",
    metrics={"accuracy": 0.91},
    intervals={"accuracy": (0.9, 0.92)},
    measured={"latency_p50_ms": 0.4},
    base={"name": "tiny", "licence": "MIT"},
    libraries={"onnxruntime": "1.31"},
    files={"tokenizer.json": "0" * 64, "model.onnx": "1" * 64},
    created="2026-11-22T00:00:00Z",
    seed=7,
)
