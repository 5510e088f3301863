import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from headway.errors import BaseModelError, DataError
from headway.models.family import Registry, discover
from headway.pipeline import checking, competing, preparing, reporting, support
from headway.pipeline.events import Remark
from headway.pipeline.run import run
from headway.project import build
from headway.report.translation import translate
from tests.bases.folders import sentence_folder

CARD = "---\nlanguage: en\nlicense: mit\n---\n"
WORDS = {"good": "lovely clean bright quiet", "bad": "awful dirty dark noisy"}


@pytest.fixture(autouse=True)
def leaning(monkeypatch):
    """Let the n-gram family ask for a text encoder, as the encoder families do, and keep what it was given."""
    cards = dict(discover().cards)
    cards["ngram_linear"] = replace(cards["ngram_linear"], base="text_encoder")
    given = []

    class Leaning(Registry):
        def load(self, name):
            family = super().load(name)
            if name != "ngram_linear":
                return family

            class Family:
                estimate = staticmethod(family.estimate)

                @staticmethod
                def fit(train, *arguments, **options):
                    given.append(train.support)
                    return family.fit(train, *arguments, **options)

            return Family

    registry = Leaning(cards)
    for module in (support, competing, checking):
        monkeypatch.setattr(module, "discover", lambda: registry)
    return given


def project(folder, **settings):
    rows = [(f"{word} room {n}", label) for label, words in WORDS.items() for word in words.split() for n in range(30)]
    pl.DataFrame(rows, schema=["review", "label"], orient="row").write_csv(folder / "table.csv")
    options = {"name": "table", "models": ["ngram_linear"], "budget": {"time": 60}, "inputs": {"review": "text"}}
    return build(data="table.csv", target="label", folder=folder, **{**options, **settings})


def test_a_family_gets_its_base_and_the_package_tells_it(tmp_path, leaning):
    sentence_folder(tmp_path / "tiny", card=CARD)
    pl.DataFrame({"review": ["a plain room", "lovely room 3", "a plain room"]}).write_csv(tmp_path / "more.csv")
    events = []
    finished = run(project(tmp_path, base="./tiny", unlabelled="more.csv"), out=tmp_path / "runs", listen=events.append)
    base = leaning[0].base
    assert (base.name, base.kind) == ("./tiny", "text_encoder")
    assert leaning[0].unlabelled["review"].to_list() == ["a plain room"]
    assert not leaning[0].store.is_relative_to(finished.folder)
    assert all(given.base == base for given in leaning)
    manifest = json.loads((finished.package / "manifest.json").read_text())
    assert manifest["base"] == {"name": "./tiny", "licence": "mit", "digest": base.digest}
    assert finished.result["base"] == manifest["base"]
    card = (finished.package / "card.md").read_text()
    assert f"Base model: ./tiny (licence mit, digest {base.digest[:16]})" in card
    assert "基础模型" in card
    told = [event.text for event in events if isinstance(event, Remark)]
    assert "1 unlabelled rows, 2 left out: empty or a repetition" in told
    shutil.rmtree(tmp_path / "tiny")
    page = reporting.report_again(finished.folder, lang="zh").read_text()
    assert base.digest[:16] in page
    assert "未标注数据 1 行" in page


def test_without_a_base_the_run_goes_on(tmp_path, leaning):
    finished = run(project(tmp_path, models=["ngram_linear", "baseline"]), out=tmp_path / "runs")
    by_name = {candidate["name"]: candidate for candidate in finished.result["candidates"]}
    assert by_name["ngram_linear"]["status"] == "skipped"
    assert by_name["ngram_linear"]["reason"].startswith("needs a text encoder")
    assert finished.result["winner"] == "baseline"
    assert finished.result["base"] is None
    assert leaning == []
    found = checking.check(project(tmp_path))
    assert any("headway bases get all-MiniLM-L6-v2" in remark for remark in found.remarks)


def test_a_base_that_is_not_there_ends_the_run_before_it_starts(tmp_path):
    with pytest.raises(BaseModelError, match="there is no base model"):
        run(project(tmp_path, base="./tyni"), out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_unlabelled_lines_that_cannot_be_read_are_kept_and_told(tmp_path):
    sentence_folder(tmp_path / "tiny", card=CARD)
    lines = ["review,id", "a plain room,1", "a small room,2,3", ",4", *(f"a small room {n},5" for n in range(9))]
    (tmp_path / "more.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    asked = project(tmp_path, unlabelled="more.csv", base="./tiny")
    events = []
    finished = run(asked, out=tmp_path / "runs", listen=events.append)
    told = "10 unlabelled rows, 1 left out: empty or a repetition, 1 that cannot be read"
    assert told in [event.text for event in events if isinstance(event, Remark)]
    rejected = pl.read_parquet(finished.folder / preparing.REJECTED)
    assert [(Path(file).name, row) for file, row in rejected.select("file", "row").iter_rows()] == [("more.csv", 3)]
    found = checking.check(asked)
    assert told in found.remarks
    assert [(Path(refusal.file).name, refusal.row) for refusal in found.refusals] == [("more.csv", 3)]
    assert translate(told, "zh") == "未标注数据 10 行，去掉空行或重复行 1 行，无法读取 1 行"


def test_unlabelled_rows_with_other_columns_end_it(tmp_path):
    sentence_folder(tmp_path / "tiny", card=CARD)
    pl.DataFrame({"text": ["a plain room"]}).write_csv(tmp_path / "more.csv")
    with pytest.raises(DataError, match="the unlabelled rows have other columns"):
        run(project(tmp_path, base="./tiny", unlabelled="more.csv"), out=tmp_path / "runs")
    with pytest.raises(DataError, match="no such file"):
        checking.check(project(tmp_path, unlabelled="none.csv"))


def test_a_run_goes_on_with_the_base_it_began_with(tmp_path, leaning, monkeypatch):
    sentence_folder(tmp_path / "tiny", card=CARD)
    asked = project(tmp_path, base="./tiny")

    def killed(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(competing, "compete", killed)
        with pytest.raises(KeyboardInterrupt):
            run(asked, out=tmp_path / "runs")
    (folder,) = (tmp_path / "runs" / "table").iterdir()
    (tmp_path / "tiny" / "sentence_bert_config.json").write_text('{"max_seq_length": 8}')
    with pytest.raises(BaseModelError, match="is not what it was when this run began"):
        run(resume=folder)
    (tmp_path / "tiny" / "sentence_bert_config.json").write_text('{"max_seq_length": 32}')
    assert run(resume=folder).result["base"]["name"] == "./tiny"
