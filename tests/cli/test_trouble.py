import pytest

from headway.cli.trouble import find_language, word_problem, word_usage
from headway.errors import Problem


@pytest.mark.parametrize(
    ("arguments", "language"),
    [
        (["run", "--lang", "zh"], "zh"),
        (["run", "--lang=zh-CN"], "zh"),
        (["run", "--lang", "fr"], "en"),
        (["run", "--", "--lang", "zh"], "en"),
        (["run", "--lang"], "en"),
        ([], "en"),
    ],
)
def test_the_language_is_found_on_the_command_line(arguments, language, monkeypatch):
    monkeypatch.setenv("HEADWAY_LANG", "en")
    assert find_language(arguments) == language


def test_a_problem_in_both_languages():
    problem = Problem('unknown key "memroy" in budget', "a.yaml:6", "one of time, memory", "", 'did you mean "memory"?')
    assert word_problem(problem, "en") == str(problem)
    assert word_problem(problem, "zh").splitlines() == [
        'a.yaml:6：budget 中有未知的键 "memroy"',
        "  期望：以下之一：time, memory",
        '  下一步：是不是 "memory"？',
    ]


def test_a_word_that_was_got_stays_as_it_was_written():
    assert "实际：text" in word_problem(Problem("there is only one column", got="text"), "zh")
    assert "实际：7 个名字" in word_problem(Problem("reading.columns does not fit the file", got="7 names"), "zh")


def test_usage_names_the_help():
    assert word_usage("Missing argument 'B'.", "headway compare", "zh").endswith("下一步：headway compare --help")
    assert "Value error" not in word_usage("Invalid value for 'A': Value error, 'x' is not one of 'y'.", "x", "en")


def test_errors_come_in_the_language_of_the_command(headway, tmp_path):
    done = headway("check", tmp_path / "none.yaml", "--lang", "zh")
    assert done.returncode == 1
    assert "无法读取项目文件" in done.stderr
    assert "下一步：用 headway init" in done.stderr
    assert "没有命令 'rnu'" in headway("rnu", lang="zh").stderr
    assert "没有选项" in headway("run", "--quite", lang="zh").stderr
