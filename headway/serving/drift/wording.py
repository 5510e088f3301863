"""Drift in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from headway.evaluation.drift import Drift, Shift

_ASPECTS: Mapping[str, tuple[str, str]] = {
    "value": ("values", "取值"),
    "range": ("numbers", "数值分布"),
    "length": ("length", "文本长度"),
    "language": ("language", "语言"),
    "group": ("subjects", "主题"),
    "strangeness": ("novelty", "新颖程度"),
    "weekday": ("weekday", "星期"),
    "hour": ("hour of the day", "时刻"),
    "brightness": ("brightness", "亮度"),
    "contrast": ("contrast", "对比度"),
    "answer": ("answers", "预测结果"),
    "confidence": ("confidence", "置信度"),
    "mistakes": ("mistakes", "错误率"),
}


_CELLS: Mapping[str, str] = {
    "missing": "缺失", "other": "其他", "right": "正确", "wrong": "错误", "Chinese": "中文",
    "Latin letters": "拉丁字母", "Monday": "周一", "Tuesday": "周二", "Wednesday": "周三", "Thursday": "周四",
    "Friday": "周五", "Saturday": "周六", "Sunday": "周日",
}  # fmt: skip
# Cells of these have a user's own words.
_NAMED = frozenset({"value", "answer"})


def tell_drift(drift: Drift, language: Literal["en", "zh"]) -> str:
    """Return a window's finding as one sentence."""
    shown = [tell_shift(shift, language) for shift in drift.alarms[:3]]
    more = len(drift.alarms) - len(shown)
    if language == "zh":
        if not shown:
            return f"{drift.rows:,} 行中未见漂移（每个窗口的误报率 {drift.false_alarms:.0%}）"
        return f"{drift.rows:,} 行与训练数据不同：{'；'.join(shown)}" + (f"；另有 {more} 项" if more else "")
    if not shown:
        return f"no drift in {drift.rows:,} rows (false alarms: {drift.false_alarms:.0%} of windows)"
    return f"{drift.rows:,} rows differ from training: {'; '.join(shown)}" + (f"; and {more} more" if more else "")


def tell_shift(shift: Shift, language: Literal["en", "zh"]) -> str:
    """Return one change in words: what, and which share moved most."""
    aspect = name_aspect(shift.aspect, language)
    change = f"{_name_cell(shift, language)}: {shift.before:.0%} → {shift.now:.0%}"
    p = f"p {'<' if shift.p_value < 0.001 else '='} {max(shift.p_value, 0.001):.3f}"
    if language == "zh":
        where = f"列“{shift.column}”的{aspect}" if shift.column else aspect
        where = f"目标“{shift.target}”的{aspect}" if shift.target else where
        return f"{where}（{change}；差异 {shift.distance:.2f}，{p}）"
    where = f"{aspect} of {shift.column}" if shift.column else aspect
    where = f"{aspect} for {shift.target}" if shift.target else where
    return f"{where} ({change}; distance {shift.distance:.2f}, {p})"


def tell_past(until: float, language: Literal["en", "zh"]) -> str:
    """Return why answers of a package with a history may have moved though the rows have not."""
    reaches = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M")
    if language == "zh":
        return f"模型包只记得 {reaches}（UTC）以前的行：请重新打包，或由请求自带历史列"
    return f"the package remembers rows up to {reaches} (UTC) only: pack it again, or let rows bring their past"


def name_aspect(aspect: str, language: Literal["en", "zh"]) -> str:
    """Return what is looked at in a view, in words."""
    english, chinese = _ASPECTS.get(aspect, (aspect, aspect))
    return chinese if language == "zh" else english


def _name_cell(shift: Shift, language: Literal["en", "zh"]) -> str:
    """Return what a cell is called; a reader's own labels and values keep their names."""
    cell = shift.cell
    if language == "en" or (shift.aspect in _NAMED and cell not in {"other", "missing"}):
        return cell
    if shift.aspect == "group" and cell.startswith("group "):
        return f"第 {cell.removeprefix('group ')} 组"
    return _CELLS.get(cell, cell.replace(" to ", " 至 "))
