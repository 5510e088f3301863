"""Handwritten digits: scikit-learn's 1,797 images as PNG files, one folder per class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from headway.demos import Demo

_PROJECT = """\
# Handwritten digits: which of 0 to 9 is on the image?
name: digits
data: digits                  # a folder of images; the folder an image lies in is its label
target: label

budget: {time: 60s, memory: 4GB}

# Try: models: [pixels_linear]                            # needs no PyTorch
# Try: models: [cnn: {dropout: 0.3, learning_rate: 0.01}]  # the convolutional network with settings of yours
# Try: limits: {latency_p95: 2ms, size: 1MB}              # and see who may still win
"""

_README = """\
# Demo: handwritten digits / 示例：手写数字

`digits/0` to `digits/9` hold the 1,797 images (8 x 8 pixels, grey) of scikit-learn's `load_digits`, from the UCI
data set "Optical Recognition of Handwritten Digits" (CC BY 4.0). To use photos of your own, lay them out the same way.

`digits/0` 到 `digits/9` 是 scikit-learn `load_digits` 的 1,797 张图片（8 x 8 灰度），来自 UCI（CC BY 4.0）。
换成自己的图片时，按同样的方式放置即可：一个类别一个文件夹。

    headway run headway.yaml
    headway predict runs/digits/latest digits --out answers.csv
"""


def _write_data(folder: Path) -> None:
    """Write the images into a draft folder first."""
    if (folder / "digits").exists():
        return
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    draft = folder / f".digits-{id(digits)}"
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        place = draft / str(label)
        place.mkdir(parents=True, exist_ok=True)
        grey = np.rint(pixels * (255 / 16)).astype(np.uint8)
        Image.fromarray(grey).save(place / f"{number:04d}.png")
    draft.rename(folder / "digits")


def _ask(folder: Path) -> Mapping[str, str]:
    return {"image": str(min((folder / "digits" / "7").iterdir()))}


DEMO = Demo("digits", _PROJECT, _README, _write_data, _ask)
