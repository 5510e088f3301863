from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from headway.data.cleaning import clean
from headway.data.dataset import ROW, Column, Table
from headway.data.inference import guess_column, guess_task, infer, infer_several
from headway.data.reading import read
from headway.data.sources.part import rejected_frame
from headway.errors import DataError, ProjectError
from headway.report.translation import translate

N = 200
RANDOM = np.random.default_rng(0)


def make_table(**columns):
    frame = pl.DataFrame(columns).with_row_index(ROW)
    return Table(frame, rejected_frame([]), frame.height)


def cells(kind):
    return {
        "review": [f"房间很大，第{i}天的早餐也不错" for i in range(N)],
        "english": [f"it took {i} days to arrive and {i * 3} to work" for i in range(N)],
        "colour": RANDOM.choice(["red", "green", "blue"], N).tolist(),
        "price": [f"{value:.2f}" for value in RANDOM.normal(50, 9, N)],
        "age": [str(value) for value in RANDOM.integers(18, 90, N)],
        "day": [f"2024-0{i % 9 + 1}-{i % 28 + 1:02d}" for i in range(N)],
        "slashed": [f"2024/{i % 9 + 1}/{i % 28 + 1}" for i in range(N)],
        "chinese_day": [f"2024年{i % 9 + 1}月{i % 28 + 1}日" for i in range(N)],
        "packed": [f"20240{i % 9 + 1}{i % 28 + 1:02d}" for i in range(N)],
        "zip_code": [f"{value:05d}" for value in RANDOM.integers(1, 400, N)],
        "customer_id": [str(value) for value in RANDOM.integers(1, 40, N)],
        "thal": RANDOM.choice(["3", "6", "7"], N).tolist(),
        "flag": RANDOM.choice(["true", "false"], N).tolist(),
        "id": [str(i + 17) for i in range(N)],
        "uuid": [f"{i * 7919:08x}-{i:04x}" for i in range(N)],
        "empty": [None] * N,
        "constant": ["same"] * N,
    }[kind]


@pytest.mark.parametrize(
    ("kind", "modality"),
    [
        ("review", "text"),
        ("english", "text"),
        ("colour", "category"),
        ("price", "number"),
        ("age", "number"),
        ("day", "date"),
        ("slashed", "date"),
        ("chinese_day", "date"),
        ("packed", "date"),
        ("zip_code", "category"),
        ("customer_id", "category"),
        ("thal", "category"),
        ("flag", "category"),
    ],
)
def test_the_modality_of_a_column(kind, modality):
    guess = guess_column(pl.Series(kind, cells(kind), dtype=pl.String))
    assert (guess.modality, guess.use) == (modality, True)
    assert guess.reason


@pytest.mark.parametrize(
    ("kind", "word"), [("id", "identifier"), ("uuid", "identifier"), ("empty", "empty"), ("constant", "same")]
)
def test_what_says_nothing_is_left_out_with_a_reason(kind, word):
    guess = guess_column(pl.Series(kind, cells(kind), dtype=pl.String))
    assert not guess.use
    assert word in guess.reason


def test_prices_with_a_currency_are_numbers_and_shares_with_units_are_not():
    prices = pl.Series("cost", [f"¥{n * 7:,}.12" for n in range(N)])
    assert guess_column(prices).modality == "number"
    assert guess_task(prices) == "regress"
    assert guess_column(pl.Series("cost", [f"{n}.5万" for n in range(N)])).modality != "number"


def test_chinese_text_is_called_so():
    assert "Chinese" in guess_column(pl.Series("review", cells("review"))).reason


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (["yes", "no"] * 50, "classify"),
        ([str(i % 5) for i in range(100)], "classify"),
        ([f"{i / 7:.3f}" for i in range(100)], "regress"),
        ([str(i * 13 % 97) for i in range(100)], "regress"),
        ([True, False] * 50, "classify"),
        ([0.0, 1.0] * 50, "classify"),
        (list(range(300)), "regress"),
    ],
)
def test_the_task(target, task):
    assert guess_task(pl.Series("y", target)) == task


def test_many_whole_numbers_beside_text_are_classes():
    labels = [str(i % 77) for i in range(2000)]
    assert guess_task(pl.Series("y", labels), rich=True) == "classify"
    texts = [f"sentence number {i} is not like the others" for i in range(2000)]
    assert infer(make_table(text=texts, label=labels), "label").task == "classify"


def test_a_renamed_target_is_a_suspected_leak_and_left_out():
    label = [str(i % 3) for i in range(N)]
    table = make_table(text=cells("english"), label=label, label_name=[f"class {value}" for value in label])
    found = infer(table, "label")
    assert [column.name for column in found.inputs] == ["text"]
    assert [finding.column for finding in found.findings if finding.code == "leak"] == ["label_name"]


def test_a_leak_is_kept_when_it_is_wished_or_all_there_is():
    label = [str(i % 3) for i in range(N)]
    table = make_table(label=label, name=[f"class {value}" for value in label])
    assert [column.name for column in infer(table, "label").inputs] == ["name"]
    assert infer(table, "label", inputs={"name": "category"}).findings == ()


def test_given_inputs_and_task_are_taken_as_they_are():
    table = make_table(id=cells("id"), price=cells("price"), label=["a", "b"] * 100)
    found = infer(table, "label", inputs={"id": "number"}, task="classify")
    assert [(column.name, column.modality) for column in found.inputs] == [("id", "number")]


def test_ignored_columns_are_no_inputs():
    table = make_table(age=cells("age"), price=cells("price"), label=["a", "b"] * 100)
    assert [column.name for column in infer(table, "label", ignore=["age"]).inputs] == ["price"]


def test_a_wrong_name_gets_a_near_one():
    table = make_table(id=cells("id"), price=cells("price"), label=["a", "b"] * 100)
    with pytest.raises(ProjectError) as told:
        infer(table, "lable", inputs={"prices": "number"}, ignore=["id", "idd"])
    assert [(each.where, each.fix) for each in told.value.problems] == [
        ("target", "did you mean label?"),
        ("inputs", "did you mean price?"),
        ("ignore", "did you mean id?"),
    ]


def test_no_column_left_is_an_error_with_reasons():
    with pytest.raises(DataError, match="identifier"):
        infer(make_table(id=cells("id"), label=["a", "b"] * 100), "label")


def test_the_task_of_each_of_several_targets_is_found_out(tmp_path):
    lines = [f"some words of text number {i},{'ab'[i % 2]},{i * 1.5},{i % 3}" for i in range(60)]
    (tmp_path / "data.csv").write_text("\n".join(["text,topic,price,stars", *lines]), encoding="utf-8")
    found = infer_several(read("data.csv", folder=tmp_path), {"topic": None, "price": None, "stars": "regress"})
    assert found.task == "several"
    assert found.targets == {"topic": "classify", "price": "regress", "stars": "regress"}
    assert [column.name for column in found.inputs] == ["text"]


def test_all_columns_that_are_missing_are_told_at_once(tmp_path):
    (tmp_path / "data.csv").write_text("text,topic,price\na b c,x,1\n", encoding="utf-8")
    table = read("data.csv", folder=tmp_path)
    with pytest.raises(ProjectError) as caught:
        infer_several(table, {"topik": None, "prise": None}, inputs={"txt": "text"})
    assert [(p.where, p.got, p.fix) for p in caught.value.problems] == [
        ("targets", "topik", "did you mean topic?"),
        ("targets", "prise", "did you mean price?"),
        ("inputs", "txt", "did you mean text?"),
    ]


def test_dates_that_end_with_the_year_are_told_of(tmp_path):
    days = [(day, month, year) for day in (3, 14, 25) for month in (1, 7) for year in range(2010, 2024)]
    rows = [f"{day}/{month}/{year},{day * month / 7},{'ab'[day % 2]}" for day, month, year in days]
    (tmp_path / "data.csv").write_text("\n".join(["opened,paid,label", "unknown,,a", *rows]), encoding="utf-8")
    table = read("data.csv", folder=tmp_path)
    (finding,) = (each for each in infer(table, "label").findings if each.column == "opened")
    assert (finding.code, finding.severity) == ("date_order", "warning")
    assert "dates such as '3/1/2010'" in finding.message
    assert "按文字读取" in translate(finding.message, "zh")
    table = replace(table, rows=table.rows.with_columns(opened=pl.lit("2024-03-05")))
    assert "date_order" not in [each.code for each in infer(table, "label").findings]


def test_dates_that_end_with_the_year_and_are_asked_for_are_an_error_with_the_order(tmp_path):
    rows = [f"{day}/7/2024,{'ab'[day % 2]}" for day in range(1, 29)]
    (tmp_path / "data.csv").write_text("\n".join(["opened,label", *rows]), encoding="utf-8")
    table = read("data.csv", folder=tmp_path)
    with pytest.raises(DataError, match="year, month and day in this order"):
        clean(table, target="label", inputs=(Column("opened", "date"),), task="classify")
