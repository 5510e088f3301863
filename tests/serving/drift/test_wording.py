from headway.evaluation.drift import Drift, Shift
from headway.serving.drift.wording import tell_drift

SHIFT = Shift("price", "range", 500, 0.0001, 0.4, ">= 3", 0.1, 0.5)


def test_both_languages_tell_what_moved():
    drift = Drift(500, 0.01, (SHIFT,) * 5)
    change = "numbers of price (>= 3: 10% → 50%; distance 0.40, p < 0.001)"
    assert tell_drift(drift, "en") == f"500 rows differ from training: {change}; {change}; {change}; and 2 more"
    assert "列“price”的数值分布" in tell_drift(drift, "zh")
    mood = Shift("", "mistakes", 200, 0.0001, 0.2, "wrong", 0.1, 0.3, target="mood")
    assert "mistakes for mood (wrong: 10% → 30%;" in tell_drift(Drift(200, 0.01, (mood,)), "en")
    assert "目标“mood”的错误率（错误: 10% → 30%；" in tell_drift(Drift(200, 0.01, (mood,)), "zh")
    day, label = (Shift("x", aspect, 200, 0.0001, 0.2, "Monday", 0.1, 0.3) for aspect in ("weekday", "value"))
    assert "列“x”的星期（周一:" in tell_drift(Drift(200, 0.01, (day,)), "zh")
    assert "列“x”的取值（Monday:" in tell_drift(Drift(200, 0.01, (label,)), "zh")
    assert "no drift in 500 rows" in tell_drift(Drift(500, 0.01, ()), "en")
    assert "未见漂移" in tell_drift(Drift(500, 0.01, ()), "zh")
