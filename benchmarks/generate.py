"""Writing: Shakespeare against nanoGPT's recipe in the same time, Tang poems against n-grams, and related sentences."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.shared import HERE, Ran, call, find_data, print_table, run_headway

# Seconds of a run's budget; what the run spends outside of training is not given to the peer.
SECONDS = float(os.environ.get("HEADWAY_GENERATE_SECONDS", "300"))
# What is asked of the model of related sentences, how many each of them is taught with, and how like they may be.
ASKED = "我喜欢听音乐"
NEIGHBOURS, NEAR_COPY, NO_KIN = 8, 0.8, 0.05


def main() -> str:
    """Run all works and return the tables."""
    return f"{shakespeare()}\n{poems()}\n{related()}"


def shakespeare() -> str:
    """Train on the first nine tenths, judge on the last one: nats a character."""
    text = (find_data("shakespeare") / "input.txt").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "text.txt").write_text(text, encoding="utf-8")
        ran = run_headway(f"data: text.txt\ntask: generate\nbudget: {{time: {SECONDS:g}s}}\n", folder)
        learnt, judged = parts_of(ran)
        (folder / "learnt.txt").write_text(learnt, encoding="utf-8")
        (folder / "judged.txt").write_text(judged, encoding="utf-8")
        # The peer learns from the validation part too, and gets the whole budget for training alone.
        peer = call(
            sys.executable, HERE / "peers" / "nanogpt.py", folder / "learnt.txt", folder / "judged.txt", f"{SECONDS:g}"
        )
    theirs = json.loads(peer.printed.strip().splitlines()[-1])
    metrics, writing = ran.result["metrics"], ran.result["writing"]
    mine, counted = (to_nats(each) for each in (metrics, writing["baseline"]["metrics"]))
    rows = [
        ("Headway gpt", f"{mine:.3f}", f"{mine - theirs['loss']:+.3f}", f"{ran.spent.seconds:.0f}",
         f"{ran.spent.peak_mb:.0f}", f"longest copy {metrics['longest_copy']:.0f}"),
        ("Headway ngram (the yardstick)", f"{counted:.3f}", f"{counted - theirs['loss']:+.3f}", "", "", ""),
        ("nanoGPT's CPU recipe", f"{theirs['loss']:.3f}", "", f"{theirs['seconds']:.0f}", f"{peer.peak_mb:.0f}",
         f"{theirs['steps']:,} steps"),
    ]  # fmt: skip
    header = ("model", "test loss, nats a character", "against nanoGPT", "seconds", "peak MB", "note")
    return print_table(f"Shakespeare by characters, {SECONDS:g} s on the same machine", header, rows)


def poems() -> str:
    """Learn the Tang poems and write some."""
    data = find_data("tang_poetry").resolve()
    with tempfile.TemporaryDirectory() as name:
        project = f"name: tang\ndata: {data}\ntarget: paragraphs\ntask: generate\nbudget: {{time: {SECONDS:g}s}}\n"
        ran = run_headway(project, Path(name))
    metrics, writing = ran.result["metrics"], ran.result["writing"]
    counted = writing["baseline"]["metrics"]
    rows = [
        (who, f"{figures['bits_per_character']:.3f}", f"{figures['perplexity']:.1f}", f"{figures['form_kept']:.1%}",
         f"{figures['longest_copy']:.0f}", f"{figures['distinct_2']:.1%}")
        for who, figures in (("gpt", metrics), ("ngram", counted))
    ]  # fmt: skip
    saved = 1 - metrics["bits_per_character"] / counted["bits_per_character"]
    rows.append(("gpt needs less", f"{saved:.1%}", "", "", "", ""))
    header = ("model", "bits a character", "perplexity", "form kept", "longest copy", "different pairs")
    first = "; ".join(sample["written"].replace("\n", " ") for sample in writing["samples"][:2])
    return print_table(f"Tang poems, {SECONDS:g} s", header, rows) + f"\nTwo of its poems: {first}\n"


def related() -> str:
    """Learn what people say to an assistant, each sentence beside those nearest to it, and answer `ASKED`."""
    data = find_data("zh_intents_smp2019")
    said = [
        row["text"].strip()
        for part in ("train", "dev", "test")
        for row in json.loads((data / f"{part}.json").read_text("utf-8"))
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = pair_up([text for text in dict.fromkeys(said) if 3 <= len(text) <= 30])
        pl.DataFrame(pairs, schema=["prompt", "completion"], orient="row").write_ndjson(folder / "pairs.jsonl")
        ran = run_headway(f"data: pairs.jsonl\ntask: generate\nbudget: {{time: {SECONDS:g}s}}\n", folder)
        answers = [
            call(sys.executable, "-m", "headway.cli", "generate", ran.folder, "--prompt", ASKED, "--seed", f"{seed}")
            for seed in range(1, 9)
        ]
    metrics, counted = ran.result["metrics"], ran.result["writing"]["baseline"]["metrics"]
    rows = [
        (who, f"{figures['bits_per_character']:.3f}", f"{figures['chrf']:.1f}", f"{figures['longest_copy']:.0f}")
        for who, figures in (("gpt", metrics), ("ngram", counted))
    ]
    table = print_table(
        f"Related sentences, {SECONDS:g} s", ("model", "bits a character", "chrF", "longest copy"), rows
    )
    written = " / ".join(answer.printed.strip().splitlines()[0] for answer in answers)
    return f"{table}\n{len(pairs):,} pairs. {ASKED}: {written}\n"


def pair_up(texts: list[str]) -> list[tuple[str, str]]:
    """Return each text with the few that share most of its characters and pairs of them, but for near copies."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True).fit_transform(texts)
    alike = (vectors @ vectors.T).toarray()
    alike[alike > NEAR_COPY] = 0.0
    nearest = np.argsort(-alike, axis=1)[:, :NEIGHBOURS]
    return [(texts[i], texts[j]) for i, row in enumerate(nearest) for j in row if alike[i, j] > NO_KIN]


def parts_of(ran: Ran) -> tuple[str, str]:
    """Return the text that a run has learnt and validated on, and that of its test part."""
    rows = pl.read_parquet(ran.folder / "dataset" / "rows.parquet")
    tested = pl.read_parquet(ran.folder / "test_answers.parquet")["__row__"]
    is_test = rows["__row__"].is_in(tested.implode())
    return "".join(rows.filter(~is_test)["text"]), "".join(rows.filter(is_test)["text"])


def to_nats(figures: dict[str, float]) -> float:
    """Return nats a character."""
    return figures["bits_per_character"] * math.log(2)
