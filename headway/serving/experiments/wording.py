"""What an experiment has found, in words, English and Chinese."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from headway.serving.experiments.fitting import Misfit, listed
from headway.serving.experiments.judging import ArmResult, Judgement
from headway.serving.experiments.outcomes import Outcomes
from headway.serving.experiments.plan import Experiment

Language = Literal["en", "zh"]


def tell_report(
    experiment: Experiment, judgement: Judgement, outcomes: Outcomes, *, now: float, language: Language
) -> Iterator[str]:
    """Yield the lines of a report."""
    zh = language == "zh"
    days = ((experiment.stopped or now) - experiment.started) / 86_400
    state = _state(experiment, zh=zh)
    outcome = _outcome(experiment, zh=zh)
    yield (
        f"{experiment.name}：模型 {experiment.model}，{outcome}，{state}，已进行 {days:.1f} 天"
        if zh
        else f"{experiment.name}: model {experiment.model}, {outcome}, {state}, {days:.1f} days"
    )
    for arm, result in zip(experiment.arms, judgement.arms, strict=True):
        yield _arm(result, judgement.alpha, shadow=arm.shadow, zh=zh)
        if result.ended:
            yield f"    {'已被护栏停用：' if zh else 'stopped by a guardrail: '}{result.ended}"
    if outcomes.waiting:
        hours = experiment.window / 3600
        yield (
            f"另有 {outcomes.waiting:,} 位用户的 {hours:g} 小时观察窗口尚未结束，暂不计入"
            if zh
            else f"{outcomes.waiting:,} more users count once their {hours:g} hours are over"
        )
    if judgement.share_p < 0.001:
        yield (
            f"警告：用户没有按设定的权重分配（p = {judgement.share_p:.1e}），结论不可信；请检查分流与反馈的收集"
            if zh
            else f"warning: users did not get the arms by their weights (p = {judgement.share_p:.1e}): look for what"
            " loses or doubles requests or feedback before you believe any of this"
        )
    yield tell_verdict(experiment, judgement, language)


def tell_verdict(experiment: Experiment, judgement: Judgement, language: Language) -> str:
    """Return the conclusion as one sentence."""
    better, zh = judgement.better, language == "zh"
    if better is None:
        return (
            "尚无定论；可以继续每天查看，误报率不会因此上升"
            if zh
            else "Not decided yet; look as often as you like, the false-alarm rate stays what it is."
        )
    winner = next(arm for arm in judgement.arms if arm.name == better)
    if better == experiment.control.name:
        return (
            "对照组更好，差距超出偶然范围" if zh else f"{better} (the control) is better, by more than chance explains."
        )
    day = "" if winner.decided is None else datetime.fromtimestamp(winner.decided, UTC).strftime("%Y-%m-%d %H:%M UTC")
    weaker = winner.finding is not None and winner.finding.interval[0] <= 0
    if zh:
        return f"{better} 优于对照组，差距超出偶然范围（{day} 起）" + (
            "；但此后差距缩小，建议继续观察" if weaker else ""
        )
    later = " It has become weaker since; let it run on." if weaker else ""
    return f"{better} is better than the control, by more than chance explains (since {day}).{later}"


def tell_missing(missing: Sequence[str], *, served: bool, store: str, language: Language) -> str:
    """Return why an experiment has no effect yet: no server follows the store, or none answers under some names."""
    zh = language == "zh"
    if not served:
        return (
            f"还没有服务使用这个存储，实验尚未生效：请用 headway serve 名称=模型包 ... --store {store} 启动"
            if zh
            else f"no server uses this store yet, so nothing happens: headway serve NAME=PACKAGE ... --store {store}"
        )
    names = ("、" if zh else ", ").join(missing)
    return (
        f"使用这个存储的服务没有提供：{names}；其流量由该模型原来的包回答，不计入实验"
        if zh
        else f"the servers that use this store do not serve {names}; the model's own package answers that traffic,"
        " and it does not count"
    )


def tell_misfit(misfit: Misfit, language: Language) -> str:
    """Return why an arm cannot stand in for its model."""
    package, names = misfit.arm.package, listed(misfit.names)
    if language == "zh":
        wrong = {"task": "的任务不同", "columns": "读取该模型的客户端未必发送的列", "labels": "会给出该模型没有的标签"}
        return f"{package} {wrong[misfit.what]}：{names}"
    wrong = {
        "task": "has another task",
        "columns": "reads columns that the clients of the model need not send",
        "labels": "answers labels that the model does not have",
    }
    return f"{package} {wrong[misfit.what]}: {names}"


def tell_misfits(misfits: Sequence[Misfit], language: Language) -> str:
    """Return which arms of a running experiment get no traffic, and why; "" for none."""
    told = [tell_misfit(each, language) for each in misfits]
    if not told:
        return ""
    if language == "zh":
        return f"{'；'.join(told)}；其流量由该模型原来的包回答，不计入实验"
    return f"{'; '.join(told)}; the model's own package answers that traffic, and it does not count"


def describe_report(
    experiment: Experiment, judgement: Judgement, outcomes: Outcomes, *, language: Language = "en"
) -> dict[str, Any]:
    """Return a report as plain data for JSON."""
    return {
        "experiment": experiment.name,
        "model": experiment.model,
        "outcome": experiment.outcome,
        "running": experiment.running,
        "started": experiment.started,
        "stopped": experiment.stopped,
        "alpha": judgement.alpha,
        "waiting_users": outcomes.waiting,
        "share_mismatch_p": judgement.share_p,
        "better": judgement.better,
        "verdict": tell_verdict(experiment, judgement, language),
        "arms": [
            {
                "name": arm.name,
                "package": plan.package,
                "shadow": plan.shadow,
                "units": arm.units,
                "mean": _finite(arm.mean),
                "difference": None if arm.finding is None else _finite(arm.finding.difference),
                "interval": None if arm.finding is None else [_finite(each) for each in arm.finding.interval],
                "p_value": None if arm.finding is None else arm.p_value,
                "decided": arm.decided,
                "ended": arm.ended or None,
                "path": [list(each) for each in arm.path],
            }
            for plan, arm in zip(experiment.arms, judgement.arms, strict=True)
        ],
    }


def _arm(result: ArmResult, alpha: float, *, shadow: bool, zh: bool) -> str:
    name = f"{result.name}{('（影子）' if zh else ' (shadow)') if shadow else ''}"
    mean = "-" if math.isnan(result.mean) else f"{result.mean:.4f}"
    line = f"  {name}: {result.units:,} {'个单位，均值' if zh else 'units, mean'} {mean}"
    finding = result.finding
    if finding is None:
        return line + ("（对照组）" if zh else " (control)")
    if not math.isfinite(finding.interval[0]):
        return line + ("；数据尚不足以判断" if zh else "; too few to judge yet")
    low, high = finding.interval
    level = f"{1 - alpha:.1%}"
    p = "p < 0.001" if result.p_value < 0.001 else f"p = {result.p_value:.3f}"
    if zh:
        return f"{line}；差值 {finding.difference:+.4f}，{level} 置信序列 [{low:+.4f}, {high:+.4f}]，{p}"
    return f"{line}; difference {finding.difference:+.4f}, {level} interval at any look [{low:+.4f}, {high:+.4f}], {p}"


def _state(experiment: Experiment, *, zh: bool) -> str:
    if experiment.running:
        return "进行中" if zh else "running"
    return "已停止" if zh else "stopped"


def _outcome(experiment: Experiment, *, zh: bool) -> str:
    english, chinese = {
        "accuracy": ("accuracy from feedback", "准确率（来自反馈）"),
        "value": ("value from feedback", "价值（来自反馈）"),
        "error": ("minus the absolute error, from feedback", "绝对误差的相反数（来自反馈）"),
    }[experiment.outcome]
    return chinese if zh else english


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
