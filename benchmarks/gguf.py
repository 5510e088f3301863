"""A `gpt` of Chinese characters, trained for a minute: llama.cpp finds its texts as likely, and writes the same."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared import HERE, SkippedError, find_data, peer_python, print_table, run_headway
from headway.runtime import load_generator
from headway.runtime.generation.generator import Generator

REVIEWS, TOKENS = 1_500, 60
# Float32 on both sides: sums in another order, and nothing else, may part them; nats a token.
ALLOWED = 0.01
PROMPTS = ("房间很", "服务员的态度", "早餐", "位置", "酒店 in the city, 2 nights:")
ODD = ("  两个空格 \n\n\t换行_<0x20></s>", "🎉👩‍👧 mixed 混合 смесь", "罕见字：龘靐齉")
_PROJECT = "name: reviews\ndata: reviews.txt\ntask: generate\nmodels: [gpt]\nbudget: {time: 90s}\n"


def main() -> str:
    """Train, export, let both sides judge and write the same texts; raises `AssertionError` where they disagree."""
    python = peer_python("llama-cpp", "llama-cpp-python[server]")
    reviews = read_reviews()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "reviews.txt").write_text("\n".join(reviews[:REVIEWS]), encoding="utf-8")
        package = run_headway(_PROJECT, folder).folder / "package"
        writer = load_generator(package)
        texts = [text[: writer.decoder.window // 4] for text in (*reviews[REVIEWS : REVIEWS + 20], *ODD)]
        theirs = ask_llama_cpp(python, package, folder, texts, writer.decoder.window)
        return compare(writer, texts, theirs)


def read_reviews() -> list[str]:
    """Return the texts of the hotel reviews, in their order."""
    (file,) = find_data("zh_hotel_reviews").glob("*.csv")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [row["review"] for row in csv.DictReader(lines) if row["review"].strip()]


def ask_llama_cpp(python: Path, package: Path, folder: Path, texts: list[str], window: int) -> list[dict[str, Any]]:
    """Export the package and return, for each text, its ids and log probabilities there, then what prompts go on to."""
    out = folder / "gguf"
    export = [sys.executable, "-m", "headway.cli", "export", str(package), "--to", "gguf", "--out", str(out)]
    subprocess.run(export, check=True, capture_output=True)
    (model,) = out.glob("*.gguf")
    asked = json.dumps({"texts": texts, "prompts": PROMPTS, "tokens": TOKENS, "window": window})
    command = [str(python), str(HERE / "peers" / "judge_llama_cpp.py"), str(model)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SkippedError(f"llama-cpp-python could not read the file: {done.stderr[-500:]}")
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(writer: Generator, texts: list[str], theirs: list[dict[str, Any]]) -> str:
    """Return the table of both sides."""
    ours = [writer.ids_of(text) for text in texts]
    same_ids = sum(mine == their["ids"] for mine, their in zip(ours, theirs, strict=False))
    apart = [
        float(np.abs(writer.logprobs(ids) - their["logprobs"]).max())
        for ids, their in zip(ours, theirs, strict=False)
        if ids == their["ids"]
    ]
    written = writer.generate(PROMPTS, max_tokens=TOKENS, temperature=0)
    same_texts = sum(mine.text == their["text"] for mine, their in zip(written, theirs[len(texts) :], strict=True))
    assert same_ids == len(texts), f"{same_ids} of {len(texts)} texts are split alike"
    assert max(apart) < ALLOWED, f"a token is {max(apart):.4f} nats apart"
    rows = [
        ["texts split into the same tokens", f"{same_ids} of {len(texts)}"],
        ["tokens compared", f"{sum(map(len, ours)):,}"],
        ["log probability of a token, largest difference in nats", f"{max(apart):.5f}"],
        [f"greedy continuations of {TOKENS} tokens that are equal", f"{same_texts} of {len(PROMPTS)}"],
    ]
    return print_table("A gpt of Chinese characters in Headway's runtime and in llama.cpp", ["what", "found"], rows)
