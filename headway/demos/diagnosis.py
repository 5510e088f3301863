"""Breast cancer: scikit-learn's table of 569 diagnoses as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from headway.demos import Demo

_PROJECT = """\
# Breast cancer: 30 measurements of cell nuclei, is the tumour malignant?
name: diagnosis
data: diagnosis.csv
target: diagnosis             # malignant or benign

budget: {time: 45s, memory: 2GB}

# Try: metric: average_precision
# Try: models: [linear, trees: {class_weights: balanced}]
# Try: decision: {costs: {malignant: {benign: 10}, benign: {malignant: 1}}}   # a missed tumour costs ten times more
"""

_README = """\
# Demo: breast cancer / 示例：乳腺癌诊断

`diagnosis.csv` is the Breast Cancer Wisconsin (Diagnostic) data set (UCI, CC BY 4.0) as scikit-learn carries it: 569
rows, 30 numbers, two diagnoses. It shows how Headway reads a table; it is no medical device.

`diagnosis.csv` 是 scikit-learn 自带的威斯康星乳腺癌数据集（UCI，CC BY 4.0）：569 行，30 个数值列，两种诊断。
本示例只演示如何处理表格，不可用于医疗诊断。

    headway run headway.yaml
    headway predict runs/diagnosis/latest diagnosis.csv --out answers.csv
"""


def _write_data(folder: Path) -> None:
    """Write `diagnosis.csv`, as a draft first."""
    path = folder / "diagnosis.csv"
    if path.exists():
        return
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer()
    draft = path.with_name("diagnosis.csv.draft")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(name.replace(" ", "_") for name in table.feature_names), "diagnosis"])
        for numbers, label in zip(table.data.tolist(), table.target, strict=True):
            writer.writerow([*numbers, table.target_names[label]])
    draft.replace(path)


def _ask(folder: Path) -> Mapping[str, float]:
    """Return the first patient, without the diagnosis."""
    with (folder / "diagnosis.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    return {name: float(cell) for name, cell in row.items() if name != "diagnosis"}


DEMO = Demo("diagnosis", _PROJECT, _README, _write_data, _ask)
