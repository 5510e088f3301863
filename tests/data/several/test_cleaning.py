import numpy as np
import pytest

from headway.data.dataset import ROW, Column
from headway.data.reading import read
from headway.data.several.cleaning import BLANKED, clean_several
from headway.errors import DataError, ProjectError
from headway.project.schema import Cleaning

TEXT = (Column("text", "text"),)
TARGETS = {"topic": "classify", "price": "regress"}
WORDS = ("apples", "bridges", "candles", "doctors", "engines", "forests", "gardens", "houses", "islands", "jackets",
         "kettles", "ladders")  # fmt: skip
BASE = [(f"a few words about {word}", "xy"[i % 2], str(i)) for i, word in enumerate(WORDS)]


def table_of(folder, rows, name="data.csv"):
    lines = ["text,topic,price", *(",".join(row) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read(name, folder=folder)


def cleaned(folder, rows, targets=TARGETS, **options):
    return clean_several(table_of(folder, rows), targets=targets, inputs=TEXT, **options)


def test_a_row_without_one_target_still_teaches_the_other(tmp_path):
    found = cleaned(tmp_path, [*BASE, ("something quite new", "", "7"), ("and yet another", "x", "")])
    assert len(found.train) == 14
    assert np.isnan(found.train.y).tolist()[-2:] == [[True, False], [False, True]]
    assert [target.labels for target in found.train.targets] == [("x", "y"), ()]
    assert "topic is missing in 1 of 14 rows, which teach the other targets" in [f.message for f in found.findings]


def test_a_row_without_any_target_is_rejected_with_its_reason(tmp_path):
    found = cleaned(tmp_path, [*BASE, ("something quite new", "", "")])
    assert len(found.train) == 12
    assert found.rejected.select("row", "reason").rows() == [(14, "every target is missing")]


def test_a_cell_that_is_no_number_costs_the_row_that_target_only(tmp_path):
    found = cleaned(tmp_path, [*BASE, ("something quite new", "x", "cheap")])
    assert np.isnan(found.train.y[-1]).tolist() == [False, True]
    assert found.rejected.select("column", "value").rows() == [("price", "cheap")]
    with pytest.raises(DataError, match="of the target price cannot be used"):
        cleaned(tmp_path, [*BASE, *((f"new {word}", "x", "cheap") for word in WORDS)])


def test_a_contradiction_costs_the_target_that_it_is_about(tmp_path):
    rows = [*BASE, ("a few words about apples", "y", "0")]
    found = cleaned(tmp_path, rows, cleaning=Cleaning(duplicates="group"))
    changes = found.train.changes.filter(step=BLANKED)
    assert changes[ROW].to_list() == [0, 12]
    assert changes["reason"][0] == "topic: the same input stands under 'x' and 'y'"
    assert np.isnan(found.train.y[[0, 12], 0]).all()
    assert not np.isnan(found.train.y[:, 1]).any()


def test_what_has_no_target_left_is_dropped(tmp_path):
    rows = [*BASE, ("nothing else", "x", ""), ("nothing else", "y", "")]
    found = cleaned(tmp_path, rows)
    assert len(found.train) == 12
    assert found.train.changes.filter(step="contradiction")[ROW].to_list() == [12, 13]


def test_equal_rows_are_dropped_and_rows_that_say_more_are_kept(tmp_path):
    again = ("a few words about apples", "x", "0")
    found = cleaned(
        tmp_path, [*BASE, again, ("a few words about apples", "x", ""), ("A few words about apples", "x", "")]
    )
    assert found.train.changes.filter(step="duplicate").select(ROW, "partner").rows() == [(12, 0), (14, 13)]
    assert found.train.groups[0] == found.train.groups[-1]


def test_a_class_of_one_row_is_blanked_and_labels_are_renumbered(tmp_path):
    found = cleaned(tmp_path, [*BASE, ("something quite new", "a", "7")])
    assert found.train.targets[0].labels == ("x", "y")
    assert np.isnan(found.train.y[-1]).tolist() == [True, False]
    assert found.train.y[0].tolist() == [0, 0]
    assert any(f.code == "rare_class" and f.message.startswith("topic: ") for f in found.findings)


def test_everything_wrong_with_the_targets_is_told_at_once(tmp_path):
    rows = [(text, "x", "5") for text, _, _ in BASE]
    with pytest.raises(ProjectError) as caught:
        cleaned(tmp_path, rows)
    assert [(p.what, p.where) for p in caught.value.problems] == [
        ("the target has one class", "column topic"),
        ("the target never changes", "column price"),
    ]
    rows = [(text, topic, price if i < 4 else "") for i, (text, topic, price) in enumerate(BASE)]
    with pytest.raises(ProjectError, match="the target price has too few rows"):
        cleaned(tmp_path, rows)


def test_a_given_test_part_keeps_the_labels_of_training(tmp_path):
    test = table_of(tmp_path, [("unseen words", "z", "3"), ("more unseen words", "y", ""), BASE[0]], "test.csv")
    found = cleaned(tmp_path, BASE, test=test)
    assert found.test.rows["text"].to_list() == ["unseen words", "more unseen words"]
    assert found.test.y[1, 0] == 1
    assert np.isnan(found.test.y[0]).tolist() == [True, False]
    assert any(f.code == "unseen_label" for f in found.findings)
