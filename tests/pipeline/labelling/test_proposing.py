import polars as pl
import pytest

from headway.errors import DataError, TrainingError
from headway.pipeline.labelling.proposing import Wish, propose
from tests.encoders.tiny import sentences, tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


def rows(labels, count=24):
    texts = [f"{text} room {number}" for number, text in enumerate(sentences(count))]
    return pl.DataFrame(
        {"review": texts, "label": labels + [None] * (count - len(labels))}, schema_overrides={"label": pl.String}
    )


def test_without_labelled_rows_the_words_of_the_labels_propose(base, tmp_path):
    found = propose(rows([]), Wish("label", ("review",), ("good_room", "bad_room"), top=6), base, store=tmp_path)
    assert found.source == "words"
    assert found.ranked.columns == ["review", "label", "headway_confidence", "headway_rank", "headway_why"]
    assert set(found.ranked["label"]) <= {"good_room", "bad_room"}
    assert found.ranked["headway_rank"].to_list() == [1, 2, 3, 4, 5, 6]
    assert found.rest.height == 18
    assert found.rest.columns == ["review"]


def test_enough_labelled_rows_propose_and_are_kept(base, tmp_path):
    found = propose(rows(["0", "1"] * 3), Wish("label", ("review",), lang="zh"), base, store=tmp_path)
    assert found.source == "rows"
    assert found.to_correct.height == 24
    assert found.to_correct["label"].null_count() == 0
    assert found.to_correct[-6:]["label"].to_list() == ["0", "1"] * 3
    assert found.ranked["headway_why"].str.contains("像是|不确定").all()


def test_labels_that_are_no_words_need_rows(base, tmp_path):
    with pytest.raises(TrainingError, match="no words") as caught:
        propose(rows(["0", "1"]), Wish("label", ("review",)), base, store=tmp_path)
    assert "at least 3 rows of each label" in caught.value.problems[0].fix


def test_nothing_to_label_and_no_labels_are_told(base, tmp_path):
    with pytest.raises(DataError, match="every row has a label"):
        propose(rows(["a", "b"], 2), Wish("label", ("review",)), base, store=tmp_path)
    with pytest.raises(DataError, match="no labels to choose from"):
        propose(rows([]), Wish("label", ("review",)), base, store=tmp_path)
    with pytest.raises(DataError, match="only one label"):
        propose(rows(["good"]), Wish("label", ("review",)), base, store=tmp_path)


def test_rows_without_a_text_end_the_rest(base, tmp_path):
    some = rows(["0", "1"] * 3).with_row_index("id")
    empty = some[:2].with_columns(id=pl.Series([90, 91], dtype=pl.UInt32), review=pl.Series([None, "  "]), label=None)
    mixed = pl.concat([empty, some], how="vertical_relaxed")
    found = propose(mixed, Wish("label", ("review",), top=5), base, store=tmp_path)
    assert found.textless == 2
    assert found.rest["id"][-2:].to_list() == [90, 91]
    assert sorted([*found.to_correct["id"], *found.rest["id"]]) == sorted(mixed["id"])
    with pytest.raises(DataError, match="every row with a text has a label"):
        propose(mixed[:8], Wish("label", ("review",)), base, store=tmp_path)
