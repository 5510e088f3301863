"""Open a package and predict: numpy, onnxruntime, tokenizers and Pillow only.

>>> import headway.runtime
>>> model = headway.runtime.load("runs/reviews/latest/package")  # doctest: +SKIP
>>> model.predict([{"review": "今天天气很好，我们去公园玩吧。"}])  # doctest: +SKIP
"""

from __future__ import annotations

from headway.runtime.generation import Generator, Message, Wish, Written, load_generator
from headway.runtime.image_generation import ImageGenerator, load_image_generator
from headway.runtime.model import Answers, Model, Prediction, load

__all__ = [
    "Answers",
    "Generator",
    "ImageGenerator",
    "Message",
    "Model",
    "Prediction",
    "Wish",
    "Written",
    "load",
    "load_generator",
    "load_image_generator",
]
