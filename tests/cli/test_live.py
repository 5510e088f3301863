import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from headway.cli.live import View, format_score
from headway.pipeline.events import (
    BestSoFar,
    CandidateFinished,
    CandidateStarted,
    Remark,
    RunStarted,
    StageFinished,
    StageStarted,
)

EVENTS = [
    RunStarted(Path("runs/x/1")),
    StageStarted("read", 60.0),
    StageFinished("read", 0.84, "35,123 rows"),
    StageStarted("tournament", 59.0),
    CandidateStarted("ngram_linear", 4.2, 58.0),
    CandidateFinished("ngram_linear", "ok", "", "accuracy", 0.91234, 3.9, 54.0),
    BestSoFar("ngram_linear", "accuracy", 0.91234),
    CandidateFinished("lstm", "skipped", "it would need about 200 s", "accuracy", None, 0.0, 54.0),
    Remark("dropout is not honoured by ngram_linear"),
    StageFinished("tournament", 5.0, "", resumed=True),
]


def listen(language="en", *, quiet=False, terminal=False, width=100):
    out = io.StringIO()
    view = View(Console(file=out, width=width, force_terminal=terminal, color_system=None), language, quiet=quiet)
    with view.moving():
        for event in EVENTS:
            view.listen(event)
    return view, out.getvalue()


def test_plain_lines_where_there_is_no_terminal():
    view, text = listen()
    assert text.splitlines() == [
        f"run {Path('runs/x/1')} (if it is stopped: headway run --resume {Path('runs/x/1')})",
        "✓ read                 0.8s  35,123 rows",
        "  · ngram_linear       3.9s  accuracy 0.9123",
        "  – lstm                     skipped, it would need about 200 s",
        "! dropout is not honoured by ngram_linear",
        "✓ tournament             5s  from the earlier run",
    ]
    assert view.folder == Path("runs/x/1")


def test_chinese_lines_are_aligned():
    _, text = listen("zh")
    lines = text.splitlines()
    assert lines[0].startswith("运行目录")
    assert lines[1].startswith("✓ 读取")
    ends = {cell_len(line[: line.index("s  ")]) for line in lines if "s  " in line}
    assert len(ends) == 1


def test_chinese_lines_hold_no_english_but_names():
    out = io.StringIO()
    view = View(Console(file=out, width=120), "zh")
    for event in (
        StageFinished("read", 0.84, "7,766 rows, 1 inputs"),
        CandidateFinished(
            "bag",
            "dropped",
            "clearly behind lstm (0.9000 on the same rows) after 2 of 5 folds",
            "accuracy",
            0.8,
            3.9,
            54.0,
        ),
        Remark("labels were not checked: pip install x"),
    ):
        view.listen(event)
    assert [" ".join(line.split()) for line in out.getvalue().splitlines()] == [
        "✓ 读取 0.8s 7,766 行，1 个输入",
        "– bag 3.9s 提前淘汰，准确率 0.8000，完成 5 折中的 2 折后明显落后于 lstm（同样的行上得分 0.9000）",
        "! 未检查标签：pip install x",
    ]


def test_quiet_says_nothing_and_still_knows_the_folder():
    view, text = listen(quiet=True, terminal=True)
    assert text == ""
    assert view.folder == Path("runs/x/1")


def test_a_terminal_gets_the_same_lines_and_a_moving_one():
    _, text = listen(terminal=True)
    assert "35,123 rows" in text


def test_the_moving_line_tells_stage_candidate_budget_and_best():
    out = io.StringIO()
    console = Console(file=out, width=140, force_terminal=True, color_system=None)
    view = View(console, "en")
    for event in [EVENTS[3], EVENTS[6], CandidateStarted("cnn", 12.0, 50.0)]:
        view.listen(event)
    console.print(view._footer())
    line = out.getvalue()
    for words in ("tournament", "cnn 0s / about 12s", "left", "best so far: ngram_linear accuracy 0.9123"):
        assert words in line


@pytest.mark.parametrize(("score", "text"), [(0.5, "0.5000"), (None, ""), (1234.5, "1,234"), (-0.25, "-0.2500")])
def test_scores_are_short(score, text):
    assert format_score(score) == text
