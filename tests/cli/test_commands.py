"""Predict, evaluate, show and verify on a real package, as a user types them."""

import json
import shutil

import polars as pl
import pytest


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "新.csv"
    path.write_text(
        "id,a,b,标签\n1,2,1,好评\n2,-3,1,差评\n3,5,-1,差评\n4,,-1,差评\n5,1,1,\n6,1,1,中评\n", encoding="utf-8"
    )
    return path


def test_predict_takes_a_run_a_package_and_a_zip(headway, run_folder, rows, tmp_path):
    texts = set()
    for number, place in enumerate([run_folder.parent / "latest", run_folder / "package", run_folder / "tiny.headway"]):
        out = tmp_path / f"{number}.csv"
        done = headway("predict", place, rows, "--out", out)
        assert (done.returncode, done.stdout) == (0, "")
        assert "6 rows" in done.stderr
        texts.add(out.read_text(encoding="utf-8"))
    assert len(texts) == 1
    frame = pl.read_csv(tmp_path / "0.csv")
    assert frame.columns == ["id", "a", "b", "标签", "prediction", "confidence", "p_差评", "p_好评"]
    assert frame["prediction"].to_list() == ["好评", "差评", "好评", "差评", "好评", "好评"]


def test_predict_prints_csv_without_out(headway, run_folder, rows):
    done = headway("predict", run_folder, rows)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "id,a,b,标签,prediction,confidence,p_差评,p_好评"
    assert len(done.stdout.splitlines()) == 7


def test_predict_tells_what_it_could_not_read(headway, run_folder, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b,c\n1,2,x\n1,2,x,too,many\nNA,-1,x\nten,-1,x\n", encoding="utf-8")
    done = headway("predict", run_folder, path)
    lines = done.stdout.splitlines()
    assert [line.split(",")[:4] for line in lines[1:]] == [
        ["1", "2", "x", "好评"],
        ["1", "2", "x", ""],
        ["NA", "-1", "x", "差评"],
        ["ten", "-1", "x", "差评"],
    ]
    assert "row 3" in done.stderr
    assert "1 record cannot be read: kept in place, without an answer" in done.stderr
    assert "1 cell cannot be read, missing for the model:\n  row 4, column 'a': 'ten'" in done.stderr


def test_predict_reads_what_a_project_may_name(headway, run_folder, tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("create table t (a real, b real)")
        shop.executemany("insert into t values (?, ?)", [(1.0, 2.0), (-3.0, 1.0)])
    shop.close()
    done = headway("predict", run_folder, "sqlite:///shop.db?table=t", "--out", "a.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [row["prediction"] for row in pl.read_ndjson(tmp_path / "a.jsonl").to_dicts()] == ["好评", "差评"]


def test_evaluate_as_json(headway, run_folder, rows):
    done = headway("evaluate", run_folder, rows, "--json")
    assert done.returncode == 0
    result = json.loads(done.stdout)
    assert result["metrics"]["accuracy"] == pytest.approx(0.75)
    assert result["rows"]["evaluated"] == 4
    assert sum(result["rows"]["left_out"].values()) == 2
    assert result["confusion"] == [[2, 1], [0, 1]]


def test_evaluate_in_words(headway, run_folder, rows):
    done = headway("evaluate", run_folder, rows)
    assert "accuracy" in done.stdout
    assert "0.7500" in done.stdout
    assert "1 row left out" in done.stderr


def test_evaluate_without_the_target_names_what_is_there(headway, run_folder, tmp_path):
    (tmp_path / "x.csv").write_text("a,b,标鉴\n1,2,x\n2,3,y\n", encoding="utf-8")
    done = headway("evaluate", run_folder, tmp_path / "x.csv")
    assert done.returncode == 1
    assert "标签" in done.stderr
    assert "标鉴" in done.stderr
    assert "--target" not in done.stderr
    assert "the target of the package" in done.stderr
    assert "Traceback" not in done.stderr


def test_show(headway, run_folder):
    done = headway("show", run_folder.parent)
    for words in (
        "tiny",
        "classify: 标签",
        "a (number)",
        "差评, 好评",
        "accuracy 0.9000  (0.8500 to 0.9500)",
        "model.onnx",
    ):
        assert words in done.stdout
    assert json.loads(headway("show", run_folder, "--json").stdout)["labels"] == ["差评", "好评"]


def test_verify_tells_a_changed_byte(headway, run_folder, tmp_path):
    assert "is whole" in headway("package", "verify", run_folder).stdout
    broken = tmp_path / "broken"
    shutil.copytree(run_folder / "package", broken)
    content = bytearray((broken / "model.onnx").read_bytes())
    content[-1] ^= 1
    (broken / "model.onnx").write_bytes(bytes(content))
    done = headway("package", "verify", broken)
    assert done.returncode == 1
    assert "model.onnx" in done.stderr


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_package_that_is_not_there(headway, command, tmp_path, rows):
    done = headway(command, tmp_path / "nothing", rows)
    assert done.returncode == 1
    assert "nothing" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_command_speaks_chinese_when_asked(headway, run_folder, rows, tmp_path):
    out = tmp_path / "a.csv"
    assert "6 行，用时" in headway("predict", run_folder, rows, "--out", out, "--lang", "zh").stderr
    assert "4 行" in headway("evaluate", run_folder, rows, "--lang", "zh").stdout
    assert "名称" in headway("show", run_folder, "--lang", "zh").stdout
    assert "下一步：先 headway check" in headway("init", rows, "--out", tmp_path / "p.yaml", "--lang", "zh").stdout
    done = headway("show", run_folder, "--lang", "fr")
    assert done.returncode == 1
    assert "not spoken" in done.stderr
