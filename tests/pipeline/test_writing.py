"""A whole run that learns to write, from a corpus to a package that writes."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from headway.cli.compare import compare_runs
from headway.data.corpus.form import keeps_form
from headway.errors import BudgetError, DataError
from headway.evaluation.writing.memory import longest_copies
from headway.models.gpt.plan import Size
from headway.models.gpt.training import Training
from headway.pipeline.checking import check
from headway.pipeline.run import run
from headway.pipeline.writing import joined
from headway.project import build
from headway.report.translation import translate_error
from headway.runtime.generation import load_generator
from headway.tasks import Generate
from tests.models.gpt.test_fitting import verses


@pytest.fixture(autouse=True, scope="module")
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headway.models.gpt.plan.LADDER", (Size(32, 1),))
        patch.setattr("headway.pipeline.writing.JUDGED", 8)
        patch.setattr("headway.pipeline.writing.MOST_CHARACTERS", 40)
        yield


def write_poems(folder, count=60):
    poems = [{"title": f"poem {number}", "paragraphs": [f"{line}。"]} for number, line in enumerate(verses(count))]
    (folder / "poems.json").write_text(json.dumps(poems, ensure_ascii=False))


def project(folder, data, **options):
    wishes = {
        "base": "none",
        "budget": {"time": 1200},
        "training": {"epochs": 30, "batch_size": 4},
        "name": "poems",
        **options,
    }
    return build(data=data, task="generate", folder=folder, **wishes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    write_poems(folder)
    return run(project(folder, "poems.json", target="paragraphs"), out=folder / "runs", lang="zh")


def test_the_result_tells_how_good_the_texts_are(finished):
    result = finished.result
    assert (result["task"], result["winner"], result["metric"]) == ("generate", "gpt", "bits_per_character")
    metrics, counted = result["metrics"], result["writing"]["baseline"]["metrics"]
    assert 0 < metrics["bits_per_character"] < 8
    low, high = result["intervals"]["bits_per_character"]
    assert low < metrics["bits_per_character"] < high
    assert set(metrics) == set(counted)
    assert result["writing"]["line_lengths"] == [5, 7]
    statuses = {row["name"]: row["status"] for row in result["candidates"]}
    assert statuses == {"ngram": "ok", "gpt": "won", "lora": "skipped"}
    assert len(result["writing"]["samples"]) == 6


def test_what_ships_has_learnt_the_validation_part_too(finished):
    assert finished.result["refitted"] is True


def test_its_texts_keep_the_form(finished):
    assert finished.result["metrics"]["form_kept"] == 1


def test_the_package_writes(finished):
    generator = load_generator(finished.package)
    first, again = (generator.generate([""], max_tokens=40, seed=1)[0].text for _ in range(2))
    assert first == again
    assert generator.manifest.metrics["bits_per_character"] == finished.result["metrics"]["bits_per_character"]


def test_the_report_shows_what_both_write(finished):
    page = finished.report.read_text()
    assert "每字符比特数" in page
    assert "写出的文本" in page
    for sample in finished.result["writing"]["samples"]:
        assert sample["written"].split("，")[0] in page


def test_two_runs_on_the_same_test_part_compare(finished):
    from headway.cli.compare import _open

    result = compare_runs(_open(finished.folder, "A"), _open(finished.folder, "B"))
    assert (result.metric, result.better, result.difference) == ("bits_per_character", None, 0)


def test_a_running_text_of_few_pages(tmp_path):
    lines = [
        " ".join(f"word{number}" for number in np.random.default_rng(seed).integers(0, 40, 8)) for seed in range(90)
    ]
    (tmp_path / "book.txt").write_text("\n".join(lines))
    found = check(project(tmp_path, "book.txt"))
    assert (found.task, found.metric, {cost.name for cost in found.costs}) == (
        "generate", "bits_per_character", {"gpt", "lora", "ngram"},
    )  # fmt: skip
    done = run(project(tmp_path, "book.txt", training={"epochs": 1}), out=tmp_path / "runs")
    assert done.result["writing"]["line_lengths"] == []
    assert done.result["metrics"]["perplexity"] > 1


def test_given_a_prompt_a_related_sentence_is_written(tmp_path):
    topics = {"我喜欢听音乐": "音乐让我放松", "今天下雨了": "我在窗边听雨", "她爱看书": "书里有很大的世界"}
    rows = [
        {"prompt": f"{prompt}{number}", "completion": f"{answer}{number % 7}"}
        for number in range(20)
        for prompt, answer in topics.items()
    ]
    (tmp_path / "pairs.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    wishes = {"near_duplicates": "off"}
    done = run(project(tmp_path, "pairs.jsonl", cleaning=wishes), out=tmp_path / "runs")
    assert {"chrf", "rouge_l"} <= set(done.result["metrics"])
    assert done.result["writing"]["samples"][0]["reference"]
    (written,) = load_generator(done.package).generate(["我喜欢听音乐\n"], max_tokens=20, seed=0)
    assert written.text


def test_poems_with_titles_keep_the_form_too(tmp_path):
    write_poems(tmp_path)
    wishes = {"target": "paragraphs", "inputs": {"title": "text"}, "training": {"epochs": 8, "batch_size": 4}}
    done = run(project(tmp_path, "poems.json", **wishes), out=tmp_path / "runs")
    assert done.result["writing"]["line_lengths"] == [5, 7]
    assert done.result["metrics"]["form_kept"] == 1
    (written,) = load_generator(done.package).generate(["poem 3\n"], max_tokens=60, seed=0)
    assert keeps_form(written.text, (5, 7))


def test_a_copy_across_the_pieces_of_a_running_text_is_seen():
    text = "".join(chr(0x4E00 + number) for number in np.random.default_rng(0).permutation(4000))
    pieces = [text[start : start + 60] for start in range(0, len(text), 60)]
    for form, length in (("stream", 500), ("documents", 60)):
        (copy,) = longest_copies([text[100:600]], joined(pieces, Generate(form)))
        assert len(copy) == length


def test_a_corpus_of_one_line_is_an_error(tmp_path):
    (tmp_path / "line.txt").write_text("春眠不觉晓，处处闻啼鸟。")
    with pytest.raises(DataError, match="too little text"):
        run(project(tmp_path, "line.txt"), out=tmp_path / "runs")


def test_where_nothing_can_be_trained_the_error_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(Training, "loss_of", lambda self, rows: self.network.norm.weight.sum() * np.nan)
    write_poems(tmp_path)
    with pytest.raises(BudgetError, match="the yardstick does not ship") as caught:
        run(project(tmp_path, "poems.json", target="paragraphs"), out=tmp_path / "runs")
    assert "the loss became nan" in str(caught.value)


def test_a_run_in_whose_time_nothing_fitted_goes_on_with_more(tmp_path):
    write_poems(tmp_path)
    with pytest.raises(BudgetError, match="no model that writes") as caught:
        run(project(tmp_path, "poems.json", target="paragraphs", budget={"time": 1}), out=tmp_path / "runs")
    (folder,) = (tmp_path / "runs" / "poems").iterdir()
    fix = caught.value.problems[0].fix
    assert f"headway run --resume {folder} --budget TIME, with more than the 1s it had" in fix
    assert "要多于原来的 1s" in translate_error(fix, "zh")
    done = run(resume=folder, time=1200)
    assert (done.result["winner"], done.result["budget_seconds"]) == ("gpt", 1200)
