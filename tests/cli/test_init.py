import pytest
from typer.testing import CliRunner

from headway.cli.app import make_app
from headway.errors import HeadwayError
from headway.project import read


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"{n},这是第{n}条评论，房间很干净服务很热情,{n % 5}.5,{'好评' if n % 3 else '差评'}" for n in range(60)]
    (tmp_path / "评论.csv").write_text("\n".join(["编号,评论,评分,标签", *lines]), encoding="gb18030")
    return tmp_path


def init(*arguments):
    result = CliRunner().invoke(make_app(), ["init", *arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_it_writes_a_project_with_reasons(folder):
    said = init("评论.csv")
    project = read(folder / "headway.yaml")
    assert (project.name, project.data, project.target, project.task) == ("评论", "评论.csv", "标签", "classify")
    assert project.inputs == {"评论": "text", "评分": "number"}
    assert project.ignore == ("编号",)
    text = (folder / "headway.yaml").read_text(encoding="utf-8")
    assert "# identifier" in text
    assert "# its name says so" in text
    assert "headway run headway.yaml" in said


def test_the_target_can_be_named(folder):
    init("评论.csv", "--target", "评分", "--out", "b.yaml")
    assert read(folder / "b.yaml").target == "评分"
    with pytest.raises(HeadwayError, match="did you mean"):
        init("评论.csv", "--target", "标", "--out", "c.yaml")
    assert not (folder / "c.yaml").exists()


def test_a_file_that_is_there_stays(folder):
    (folder / "headway.yaml").write_text("mine")
    with pytest.raises(HeadwayError, match="--force"):
        init("评论.csv")
    assert (folder / "headway.yaml").read_text() == "mine"
    init("评论.csv", "--force")
    assert read(folder / "headway.yaml").name == "评论"


def test_the_data_are_named_as_seen_from_the_file(folder):
    (folder / "deep").mkdir()
    init("评论.csv", "--out", "deep/p.yaml")
    project = read(folder / "deep" / "p.yaml")
    assert (project.folder / project.data).resolve() == folder / "评论.csv"


def test_it_warns_of_repeated_rows_contradictions_and_missing_targets(folder):
    lines = [f"评论的内容是这样的第{n}条,{'好评' if n % 2 else '差评'}" for n in range(40)]
    lines += [lines[0], lines[1].replace("好评", "差评"), "没有标签的评论也是有的,"]
    (folder / "c.csv").write_text("\n".join(["评论,标签", *lines]), encoding="utf-8")
    init("c.csv")
    text = (folder / "headway.yaml").read_text(encoding="utf-8")
    assert "# Note: 1 row repeats another one and is dropped" in text
    assert "# Note: 1 input stands with different answers and is set aside" in text
    assert "# Note: 1 row has no 标签 and cannot" in text


def test_labels_are_counted_as_a_run_reads_them(folder):
    lines = [f"评论的内容是这样的第{n}条,{'好评' if n % 2 else ' 差评 '}{' ' * (n % 3)}" for n in range(40)]
    (folder / "c.csv").write_text("\n".join(["评论,标签", *lines]), encoding="utf-8")
    init("c.csv")
    assert "# 2 different values: " in (folder / "headway.yaml").read_text(encoding="utf-8")


def test_a_target_with_one_value_is_warned_of(folder):
    lines = [f"评论的内容是这样的第{n}条,好评" for n in range(40)]
    (folder / "c.csv").write_text("\n".join(["评论,标签", *lines]), encoding="utf-8")
    result = CliRunner().invoke(make_app(), ["init", "c.csv"], standalone_mode=False)
    assert "warning: 标签 has one value in all rows" in result.stderr
    text = (folder / "headway.yaml").read_text(encoding="utf-8")
    assert "1 different value: 好评 (40)" in text
    assert "# Note: 标签 has one value in all rows" in text


def test_the_file_and_what_is_said_come_in_chinese(folder):
    said = init("评论.csv", "--lang", "zh")
    assert "预测 标签（从名称看出）" in said
    lines = (folder / "headway.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# 由 `headway init 评论.csv`")
    comments = [line.partition("# ")[2] for line in lines if "# " in line and not line.startswith("#")]
    assert comments
    assert [comment for comment in comments if comment.isascii()] == []
    assert read(folder / "headway.yaml").target == "标签"


def test_running_text_is_there_to_be_written_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "诗.txt").write_text("床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\n" * 30)
    said = init("诗.txt", "--lang", "zh")
    project = read(tmp_path / "headway.yaml")
    assert (project.task, project.target, project.data) == ("generate", None, "诗.txt")
    assert "从这些文本学习写作" in said
    assert "一篇连续的文本" in (tmp_path / "headway.yaml").read_text()


def test_rows_that_happen_in_time_get_a_history_proposed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ["when,card_id,amount,fraud"]
    lines += [
        f"2024-03-{1 + i // 30:02d} {i % 24:02d}:10:00,{i % 25},{1 + i * 7 % 90}.5,{int(i % 17 == 0)}"
        for i in range(300)
    ]
    (tmp_path / "payments.csv").write_text("\n".join(lines), encoding="utf-8")
    for language, words in (("en", "their keys come again"), ("zh", "键反复出现")):
        result = CliRunner().invoke(make_app(), ["init", "payments.csv", "--force", "--lang", language])
        assert result.exit_code == 0, result.output
        written = (tmp_path / "headway.yaml").read_text(encoding="utf-8")
        assert words in written
        line = next(line for line in written.splitlines() if line.startswith("# history: "))
        (tmp_path / "headway.yaml").write_text(f"{written}\n{line[2:]}\n", encoding="utf-8")
        assert read(tmp_path / "headway.yaml").history.keys == ("card_id",)


def test_a_column_of_different_sentences_is_to_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"{n},第{n}个句子在这里,This is sentence number {n}" for n in range(60)]
    (tmp_path / "pairs.csv").write_text("\n".join(["id,中文,english", *lines]), encoding="utf-8")
    for arguments in ((), ("--target", "english")):
        said = init("pairs.csv", "--force", *arguments)
        project = read(tmp_path / "headway.yaml")
        assert (project.task, project.target, project.inputs) == ("generate", "english", {"中文": "text"})
        assert "--target names another" in said
    assert "学习写出 中文" in init("pairs.csv", "--force", "--target", "中文", "--lang", "zh")
    comments = [line.partition("# ")[2] for line in (tmp_path / "headway.yaml").read_text("utf-8").splitlines()]
    assert [words for words in comments if words and words.isascii()] == []


def test_questions_with_answers_are_drafted_as_writing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"第{n}个问题是什么？,这是第{n}个回答。" for n in range(60)]
    (tmp_path / "faq.csv").write_text("\n".join(["问题,回答", *lines]), encoding="utf-8")
    init("faq.csv")
    assert read(tmp_path / "headway.yaml").task == "generate"
