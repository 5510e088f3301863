from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headway.data.corpus.cleaning import clean_corpus
from headway.data.corpus.overlap import drop_contamination
from headway.data.corpus.reading import Corpus
from headway.data.dataset import ROW, Column, Origin, Table
from headway.data.inference import Inference
from headway.data.sources.part import rejected_frame
from headway.data.splitting import split
from headway.errors import DataError
from headway.project.schema import Cleaning, Splitting

OFF = Cleaning(max_rejected=1.0)


def corpus_of(texts, *, form="documents", prompts=None):
    columns = {ROW: pl.Series(range(len(texts)), dtype=pl.UInt32)}
    columns |= {} if prompts is None else {"prompt": prompts}
    frame = pl.DataFrame({**columns, "text": texts}, schema_overrides={"text": pl.String})
    inputs = tuple(Column(name, "text") for name in frame.columns[1:])
    table = Table(frame, rejected_frame(()), len(texts), (Origin("a.jsonl", 0, 1),))
    return Corpus(table, form, Inference(inputs, "generate", (), ()))


def sentences(count, seed=0):
    random = np.random.default_rng(seed)
    return [" ".join(f"word{number}" for number in random.integers(0, 5000, 12)) for _ in range(count)]


def test_empty_and_repeated_texts_are_left_out_with_their_reason():
    texts = sentences(20)
    cleaned = clean_corpus(corpus_of([*texts, "  ", None, texts[3].upper()]), OFF)
    assert len(cleaned.train) == 20
    assert cleaned.rejected["reason"].to_list() == ["the text is empty"] * 2
    told = cleaned.train.changes.select(ROW, "step", "reason", "partner").rows()
    assert told == [(22, "duplicate", "the same text", 3)]
    assert cleaned.train.y.tolist() == [len(text) for text in texts]


def test_many_empty_answers_are_an_error():
    prompts = sentences(20)
    with pytest.raises(DataError, match="10 of 20 records cannot be used") as caught:
        clean_corpus(corpus_of(["yes it is so"] * 10 + [""] * 10, form="answers", prompts=prompts), Cleaning())
    assert "the answer is empty" in str(caught.value)


def test_answers_to_one_prompt_stay_together():
    prompts = ["the same prompt", *sentences(18), "The  same prompt"]
    cleaned = clean_corpus(corpus_of(sentences(20, seed=1), form="answers", prompts=prompts), OFF)
    assert cleaned.train.groups[0] == cleaned.train.groups[-1]
    assert len(np.unique(cleaned.train.groups)) == 19


def test_a_running_text_keeps_its_short_repetitions():
    pieces = [*sentences(10), "Ay.\n", "Ay.\n", "x" * 300, "x" * 300]
    cleaned = clean_corpus(corpus_of(pieces, form="stream"), OFF)
    assert cleaned.train.rows["text"].to_list() == [*sentences(10), "Ay.\n", "Ay.\n", "x" * 300]


@pytest.mark.parametrize("texts", [["one line"], ["short"] * 3, ["a b"] * 400])
def test_too_little_text_is_an_error_that_says_how_much_is_needed(texts):
    with pytest.raises(DataError, match="too little text") as caught:
        clean_corpus(corpus_of(texts), OFF)
    assert "at least 200 characters in 5 texts" in str(caught.value)


def test_a_given_test_part_loses_what_training_has():
    texts = sentences(20)
    test = [*sentences(5, seed=7), texts[0], "begin " + texts[1] + " end"]
    cleaned = clean_corpus(corpus_of(texts), OFF, test=corpus_of(test))
    assert len(cleaned.test) == 5
    told = cleaned.test.changes.select(ROW, "reason", "partner").rows()
    assert told == [(5, "the same text stands in training", 0), (6, "shares a long passage with training", 1)]
    assert [finding.code for finding in cleaned.findings] == ["leaked"]


def test_training_texts_that_share_a_passage_with_the_test_part_are_not_learnt_from():
    texts = sentences(60)
    dataset = clean_corpus(corpus_of(texts), OFF).train
    parts = split(dataset, Splitting(), seed=0)
    passage = texts[int(parts.test[0])]
    bad = int(parts.train[3])
    rows = dataset.rows.with_columns(
        text=pl.when(pl.col(ROW) == bad).then(pl.lit(f"other words {passage}")).otherwise(pl.col("text"))
    )
    kept, left, found = drop_contamination(replace(dataset, rows=rows), parts, rows["text"].gather(parts.test))
    assert bad not in left.train
    assert bad not in left.folds[0].train
    assert kept.changes.select(ROW, "step").rows() == [(bad, "contamination")]
    assert found[0].code == "contamination"


def test_formulas_stay():
    formula = "this is a sentence that every text of this corpus begins with; "
    dataset = clean_corpus(corpus_of([formula + text for text in sentences(60)]), Cleaning(near_duplicates="off")).train
    parts = split(dataset, Splitting(), seed=0)
    _, left, found = drop_contamination(dataset, parts, dataset.rows["text"].gather(parts.test))
    assert left == parts
    assert found[0].code == "shared_passages"


def test_a_running_text_is_split_in_order_and_texts_are_shuffled():
    stream = clean_corpus(corpus_of(sentences(100), form="stream"), OFF).train
    parts = split(stream, Splitting(), seed=0)
    assert parts.train.tolist() == list(range(len(parts.train)))
    assert parts.test.tolist() == list(range(len(parts.train), 100))
    assert parts.folds[0].valid.tolist() == list(range(len(parts.folds[0].train), len(parts.train)))
    assert len(parts.test) == pytest.approx(10, abs=2)
    documents = split(clean_corpus(corpus_of(sentences(100)), OFF).train, Splitting(), seed=0)
    assert len(documents.folds) == 1
    assert documents.test.tolist() != list(range(90, 100))
