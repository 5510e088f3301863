import numpy as np
import pytest

from headway.evaluation.drift.building import TargetAnswers, build_reference

WORDS = "房间 服务 早餐 位置 前台 干净 安静 便宜 热情 设施 陈旧 隔音 空调 热水 交通 方便".split()  # noqa: SIM905
OTHER = "苹果 水果 新鲜 快递 包装 味道 甜 手机 屏幕 电池 发货 客服 尺码 衣服 面料 颜色".split()  # noqa: SIM905


def make_rows(random, rows, *, words=WORDS, mean=0.0, city=(0.6, 0.3, 0.1)):
    return {
        "review": ["".join(random.choice(words, random.integers(4, 15))) for _ in range(rows)],
        "price": random.normal(mean, 1, rows).tolist(),
        "city": random.choice(["北京", "上海", "广州"], rows, p=city).tolist(),
        "day": [f"2026-0{random.integers(1, 9)}-1{random.integers(0, 9)}" for _ in range(rows)],
    }


def make_answers(random, rows, *, right=0.9, positive=0.7):
    truths = np.where(random.random(rows) < positive, "好评", "差评")
    wrong = np.where(truths == "好评", "差评", "好评")
    return (
        np.where(random.random(rows) < right, truths, wrong).tolist(),
        random.beta(8, 2, rows).tolist(),
        truths.tolist(),
    )


KINDS = {"review": "text", "price": "number", "city": "category", "day": "date"}


@pytest.fixture(scope="session")
def reference():
    random = np.random.default_rng(0)
    predictions, confidence, truths = make_answers(random, 600)
    return build_reference(
        make_rows(random, 2000), KINDS, answers={"": TargetAnswers("classify", predictions, confidence, truths)}, seed=0
    )  # fmt: skip


@pytest.fixture
def draw():
    return make_rows, make_answers
