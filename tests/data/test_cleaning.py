import numpy as np
import pytest

from headway.data.cleaning import clean
from headway.data.dataset import ROW, Column
from headway.data.reading import read
from headway.errors import DataError
from headway.project.schema import Cleaning

TEXT = (Column("text", "text"),)
NUMBERS = (Column("a", "number"), Column("b", "number"))
WORDS = ("apples", "bridges", "candles", "doctors", "engines", "forests", "gardens", "houses")
BASE = [(f"a few words about {word}", "xy"[i % 2]) for i, word in enumerate(WORDS)]


def read_csv(folder, text, name="data.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return read(name, folder=folder)


def read_pairs(folder, rows, name="data.csv"):
    return read_csv(folder, "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), name)


def clean_pairs(folder, rows, **options):
    return clean(read_pairs(folder, rows), target="label", inputs=TEXT, task="classify", **options)


def test_a_repeated_text_is_dropped_whatever_its_case_width_and_blanks(tmp_path):
    found = clean_pairs(tmp_path, [*BASE, ("A few  WORDS about apples", "x"), ("ａ few words about bridges", "y")])
    assert len(found.train) == 8
    assert found.train.changes.filter(step="duplicate").select(ROW, "partner").rows() == [(8, 0), (9, 1)]


def test_a_text_under_two_labels_is_set_aside_with_its_partner(tmp_path):
    found = clean_pairs(tmp_path, [*BASE, ("a few words about apples", "y")])
    lines = found.train.changes.filter(step="contradiction")
    assert lines.select(ROW, "partner").rows() == [(0, 8), (8, 0)]
    assert "'x' and 'y'" in lines["reason"][0]
    assert len(found.train) == 7


def test_every_row_of_a_contradiction_names_one_with_another_label(tmp_path):
    rows = [(text, label) for text in ("good morning", "evening", "night") for label in ("x", "x", "y", "z")]
    changes = clean_pairs(tmp_path, [*BASE, *rows]).train.changes.filter(step="contradiction")
    assert changes.height == 12
    labels = [label for _, label in [*BASE, *rows]]
    for row, partner in changes.select(ROW, "partner").rows():
        assert labels[row] != labels[partner]
        assert (row - 8) // 4 == (partner - 8) // 4


def test_kept_contradictions_share_a_group(tmp_path):
    cleaning = Cleaning(contradictions="keep", near_duplicates="off")
    found = clean_pairs(tmp_path, [*BASE, ("a few words about apples", "y")], cleaning=cleaning)
    assert len(found.train) == 9
    assert found.train.groups[0] == found.train.groups[8]


def test_duplicates_may_be_grouped_instead(tmp_path):
    cleaning = Cleaning(duplicates="group", near_duplicates="off")
    found = clean_pairs(tmp_path, [*BASE, ("a few words about apples", "x")], cleaning=cleaning)
    assert len(found.train) == 9
    assert found.train.groups[0] == found.train.groups[8]
    assert len(set(found.train.groups.tolist())) == 8


def test_duplicates_off_leaves_every_row_alone(tmp_path):
    cleaning = Cleaning(duplicates="off", near_duplicates="off", contradictions="keep")
    found = clean_pairs(tmp_path, [*BASE, ("a few words about apples", "x")], cleaning=cleaning)
    assert len(set(found.train.groups.tolist())) == 9


def test_a_class_of_one_row_is_set_aside(tmp_path):
    found = clean_pairs(tmp_path, [*BASE, ("all alone in the world", "z")])
    assert found.train.labels == ("x", "y")
    assert found.train.changes.filter(step="rare_class")[ROW].to_list() == [8]
    assert any(finding.code == "rare_class" for finding in found.findings)


def test_classes_of_one_row_each_stop_the_run(tmp_path):
    with pytest.raises(DataError, match="fewer than two classes"):
        clean_pairs(tmp_path, [(f"a few words about {word}", word) for word in WORDS])


def test_one_class_stops_the_run(tmp_path):
    with pytest.raises(DataError, match="one class"):
        clean_pairs(tmp_path, [(text, "x") for text, _ in BASE])


def test_rows_without_target_or_input_are_rejected_with_their_place(tmp_path):
    rows = [(f"sentence about {i}", "xy"[i % 2]) for i in range(40)]
    found = clean_pairs(tmp_path, [*rows, ("no label here", ""), ("", "x")])
    assert found.rejected.select("row", "column", "reason").rows() == [
        (42, "label", "the target is missing"),
        (43, "text", "every input is missing"),
    ]
    assert len(found.train) == 40


def test_too_many_rows_without_target_stop_the_run(tmp_path):
    with pytest.raises(DataError, match="2 of 10"):
        clean_pairs(tmp_path, [*BASE, ("one", ""), ("two", "")])


def test_a_wrong_cell_becomes_missing_and_is_rejected(tmp_path):
    lines = "".join(f"{i}.5,7,{i % 2}\n" for i in range(30))
    table = read_csv(tmp_path, "a,b,y\n" + lines + "high,3,1\n")
    found = clean(table, target="y", inputs=NUMBERS, task="classify")
    assert [row[1:] for row in found.rejected.rows()] == [(32, "a", "not a finite number", "high")]
    assert found.train.rows["a"].null_count() == 1
    assert len(found.train) == 31


def test_a_column_of_another_type_stops_the_run(tmp_path):
    table = read_csv(tmp_path, "a,y\n" + "red,1\nblue,0\n" * 5)
    with pytest.raises(DataError, match="category"):
        clean(table, target="y", inputs=(Column("a", "number"),), task="classify")


def test_infinite_and_missing_regression_targets_are_rejected(tmp_path):
    lines = "".join(f"word{i},{i}\n" for i in range(30))
    table = read_csv(tmp_path, "text,y\n" + lines + "p,inf\nq,NaN\nr,abc\n")
    found = clean(table, target="y", inputs=TEXT, task="regress")
    assert len(found.train) == 30
    assert found.train.y.dtype == np.float32
    assert found.rejected.select("row", "reason").rows() == [
        (32, "the target is not a finite number"),
        (33, "the target is missing"),
        (34, "the target is not a finite number"),
    ]


def test_a_constant_regression_target_stops_the_run(tmp_path):
    table = read_csv(tmp_path, "text,y\n" + "".join(f"word{i},3\n" for i in range(9)))
    with pytest.raises(DataError, match="never changes"):
        clean(table, target="y", inputs=TEXT, task="regress")


def test_test_rows_seen_in_training_are_left_out_of_the_test_part(tmp_path):
    test = read_pairs(tmp_path, [("A FEW words about apples", "x"), ("something new", "y"), ("other", "z")], "test.csv")
    found = clean_pairs(tmp_path, BASE, test=test)
    assert found.test is not None
    assert found.test.rows["text"].to_list() == ["something new"]
    assert found.test.y.tolist() == [1]
    assert found.test.changes.select(ROW, "step", "partner").rows() == [(0, "leaked", 0)]
    assert {finding.code for finding in found.findings} == {"leaked", "unseen_label"}


def test_a_test_part_that_is_all_training_stops_the_run(tmp_path):
    table = read_pairs(tmp_path, BASE)
    with pytest.raises(DataError, match="every row of the test part"):
        clean(table, target="label", inputs=TEXT, task="classify", test=table)


def test_repeated_rows_of_numbers_are_one_row_of_more_weight(tmp_path):
    random = np.random.default_rng(0)
    lines = [f"{a:.6f},{b:.6f},{i % 2}" for i, (a, b) in enumerate(random.normal(size=(50, 2)))]
    table = read_csv(tmp_path, "a,b,y\n" + "\n".join([*lines, lines[3], lines[3]]) + "\n")
    found = clean(table, target="y", inputs=NUMBERS, task="classify")
    assert len(found.train) == 50
    assert found.train.weight is not None
    assert found.train.weight[3] == 3
    assert found.train.weight.sum() == 52


def test_a_near_text_beside_another_number_is_another_row(tmp_path):
    text = "the parcel came late and the box was open when it came"
    rows = [f"{text},{i},{'xy'[i % 2]}" for i in range(10)] + [f"{text} again,3,y"]
    table = read_csv(tmp_path, "text,n,label\n" + "\n".join(rows) + "\n")
    found = clean(table, target="label", inputs=(*TEXT, Column("n", "number")), task="classify").train
    assert found.groups[10] == found.groups[3]
    assert len(set(found.groups.tolist())) == 10


def test_rows_that_repeat_because_little_can_vary_are_kept(tmp_path):
    random = np.random.default_rng(0)
    lines = [f"{a},{b},{c}" for a, b, c in random.integers(0, 3, size=(100, 3))]
    table = read_csv(tmp_path, "a,b,y\n" + "\n".join(lines) + "\n")
    found = clean(table, target="y", inputs=NUMBERS, task="classify")
    assert len(found.train) == 100
    assert found.findings[0].code == "natural_duplicates"


def test_a_group_column_makes_groups_and_a_time_column_is_kept(tmp_path):
    lines = [f"text number {i},{i % 2},{'ab'[i % 2]},2024-01-{i + 1:02d}" for i in range(20)]
    table = read_csv(tmp_path, "text,label,who,day\n" + "\n".join(lines) + "\n")
    cleaning = Cleaning(near_duplicates="off")
    found = clean(table, target="label", inputs=TEXT, task="classify", cleaning=cleaning, group="who", time="day")
    assert sorted(set(found.train.groups.tolist())) == [0, 1]
    assert str(found.train.rows["day"].dtype).startswith("Datetime")


def test_a_missing_column_is_named_with_near_misses(tmp_path):
    table = read_csv(tmp_path, "text,label\na,x\nb,y\n")
    with pytest.raises(DataError, match="did you mean label"):
        clean(table, target="lable", inputs=TEXT, task="classify")
