import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from headway.cli.closing import print_closing
from headway.pipeline.result import RunResult


def candidate(name, status, score, reason=""):
    done = score is not None
    return {
        "name": name,
        "status": status,
        "reason": reason,
        "metrics": {"accuracy": score} if done else {},
        "fit_seconds": 3.21 if done else None,
        "latency_p50_ms": 0.412 if done else None,
        "latency_p95_ms": 0.6 if done else None,
        "size_mb": 12.3 if done else None,
        "memory_mb": 100.0,
    }


def result():
    return {
        "task": "classify",
        "winner": "ngram_linear",
        "metric": "accuracy",
        "metrics": {"accuracy": 0.912, "f1_macro": 0.9},
        "intervals": {"accuracy": [0.9, 0.92]},
        "seconds": 48.2,
        "package": "package",
        "rows": {"read": 35123, "rejected": 0, "duplicates": 17000, "set_aside": 94, "used": 18029, "test": 3605},
        "candidates": [
            candidate("baseline", "ok", 0.52),
            candidate("lstm", "skipped", None, "needs about 200.0 s, 20.0 s are free in the budget"),
            candidate("ngram_linear", "won", 0.915),
            candidate("bag", "ok", 0.90),
        ],
    }


def closing(folder, language="en", *, quiet=False, **changes):
    out = io.StringIO()
    done = RunResult(folder, folder / "package", folder / "report.html", {**result(), **changes})
    print_closing(done, console=Console(file=out, width=110), language=language, quiet=quiet)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "reviews" / "20260101-000000"
    run.mkdir(parents=True)
    (run.parent / "latest").symlink_to(run.name)
    return run


def test_the_leaderboard_has_the_winner_first_then_by_score(folder):
    text = closing(folder)
    names = ["★ ngram_linear", "  bag", "  baseline", "  lstm:"]
    places = [text.index(name) for name in names]
    assert places == sorted(places)
    assert "accuracy (valid)" in text
    assert "0.41 / 0.60" in text
    assert "  lstm: skipped, needs about 200.0 s, 20.0 s are free in the budget\n" in text


@pytest.mark.parametrize(("seconds", "is_told"), [(65.0, False), (80.0, True)])
def test_a_run_over_its_budget_says_so(folder, seconds, is_told):
    text = closing(folder, seconds=seconds, budget_seconds=60.0)
    assert ("more than its budget of 1m" in text) == is_told
    assert ("超过了预算 1m" in closing(folder, "zh", seconds=seconds, budget_seconds=60.0)) == is_told


def test_it_names_figures_rows_report_package_and_the_next_command(folder):
    text = closing(folder)
    assert "ngram_linear wins: accuracy 0.9120 on 3,605 test rows; 95% interval 0.9000 to 0.9200" in text
    assert "35,123 read, 0 rejected, 17,000 duplicates, 18,029 used" in text
    assert str(Path("runs/reviews/20260101-000000/report.html")) in text
    assert "headway predict runs/reviews/latest new.csv --out answers.csv" in text


def threshold(**changes):
    chosen = {"label": "spam", "threshold": 0.8312, "wanted": 0.95, "reached": True, "precision": 0.96}
    return {**chosen, "interval": [0.91, 0.98], "recall": 0.5, "answered": 1200, **changes}


def test_a_threshold_is_told_with_what_it_reached(folder):
    text = closing(folder, threshold=threshold())
    assert "spam from probability 0.831 on: precision 96.0% (91.0% to 98.0%), recall 50.0%" in text
    assert "(1,200 validation rows were answered so)\n" in text
    assert "召回率 50.0%（依据验证集中如此判出的 1,200 行）" in closing(folder, "zh", threshold=threshold())
    assert "decision" not in closing(folder, threshold=None)


def test_a_wish_that_was_not_reached_or_rests_on_few_rows_is_told(folder):
    text = closing(folder, threshold=threshold(reached=False, answered=9))
    assert "; the wanted precision 95.0% was not reached, this is the nearest; so few rows say little" in text


def test_the_mean_cost_is_told(folder):
    figures = {"accuracy": 0.9, "mean_cost": 0.25}
    text = closing(folder, metrics=figures, intervals={"mean_cost": [0.2, 0.3]})
    told = "the answers of least expected cost, of which fewer may be right: 0.2500 a test row"
    assert f"{told}, 95% interval 0.2000 to 0.3000" in text


def test_chinese_columns_end_at_the_same_cell(folder):
    lines = closing(folder, "zh").splitlines()
    header = next(line for line in lines if "候选模型" in line)
    row = next(line for line in lines if "★" in line)
    edge = cell_len(header[: header.index("MB") + 2])
    assert cell_len(row[: row.index("12.30") + 5]) == edge
    assert any("模型包" in line for line in lines)


def test_chinese_names_metrics_and_reasons(folder):
    text = closing(folder, "zh")
    assert "准确率（验证）" in text
    assert "在 3,605 行测试数据上 准确率 0.9120" in text
    assert "lstm: 跳过，约需 200.0 秒，预算中只剩 20.0 秒" in text
    assert "accuracy" not in text


def test_quiet_prints_the_end_result_only(folder):
    lines = closing(folder, quiet=True).splitlines()
    assert len(lines) == 3
    assert "wins" in lines[0]
