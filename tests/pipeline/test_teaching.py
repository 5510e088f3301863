"""A whole run that teaches a pretrained decoder, from conversations to a package that answers."""

import json

import polars as pl
import pytest

pytest.importorskip("torch")

from headway.errors import ProjectError
from headway.pipeline.run import run
from headway.project import build
from headway.runtime.generation import Message, load_generator
from tests.models.lora.bases import tiny_decoder

THINGS = {"sky": "blue as the sea", "grass": "green as a frog", "snow": "white as milk", "coal": "black as night"}


def write_talks(folder, count=80):
    names = list(THINGS)
    rows = []
    for number in range(count):
        thing = names[number % 4]
        asked = {"role": "user", "content": f"{number}: what colour has {thing}?"}
        answered = {"role": "assistant", "content": f"{THINGS[thing]} {number}"}
        told = [{"role": "system", "content": "Hi"}] if number % 3 == 0 else []
        rows.append({"messages": [*told, asked, answered]})
    rows.append({"messages": [{"role": "user", "content": "nobody answers"}]})
    rows.append({"messages": [{"role": "user", "content": "empty"}, {"role": "assistant", "content": " "}]})
    (folder / "talks.jsonl").write_text("\n".join(map(json.dumps, rows)))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught")
    tiny_decoder(folder / "base")
    write_talks(folder)
    project = build(
        name="talks", data="talks.jsonl", task="generate", base="base", models=["lora"], folder=folder,
        training={"learning_rate": 0.02, "epochs": 4, "batch_size": 8}, budget={"time": 1200},
        cleaning={"near_duplicates": "off"},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headway.pipeline.shrinking.SMALL_MB", 0.0)
        patch.setattr("headway.decoders.packaging.TOLERANCE", 0.5)
        return run(project, out=folder / "runs", lang="zh")


def test_the_base_before_and_after_stand_beside_each_other(finished):
    result = finished.result
    assert result["winner"] == "lora"
    before, after = result["writing"]["before"], result["metrics"]
    assert before["name"] == "base"
    assert after["bits_per_character"] < 0.5 * before["metrics"]["bits_per_character"]
    assert result["writing"]["against_before"]["better"] == "lora"
    assert {"chrf", "rouge_l"} <= set(after)
    assert all(sample["before"] is not None for sample in result["writing"]["samples"])
    page = finished.report.read_text()
    assert "base（微调前）" in page
    assert "发布精度" in page
    assert "微调之前，base 在同样的文本上" in page


def test_rows_without_an_answer_are_kept_with_their_reason(finished):
    rejected = pl.read_parquet(finished.folder / "rejected.parquet")
    assert sorted(rejected["reason"]) == ["the answer is empty", "the conversation has no answer of the assistant"]
    assert sorted(rejected["row"]) == [81, 82]


def test_what_ships_has_few_bits_and_answers_chats(finished):
    generator = load_generator(finished.package)
    assert generator.manifest.generation.precision in {"int4", "mixed", "int8", "float32"}
    assert "perplexity_change" in generator.manifest.measured
    assert generator.manifest.base["name"] == "base"
    (written,) = generator.generate([[Message("user", "7: what colour has coal?")]], max_tokens=20, temperature=0)
    assert written.finish in {"stop", "length"}


def test_the_loss_of_pairs_needs_texts_to_write(tmp_path):
    with pytest.raises(ProjectError, match="the loss dpo compares texts"):
        build(data="a.csv", target="label", training={"loss": "dpo"}, folder=tmp_path)
