"""Open a package and predict: numpy, onnxruntime, tokenizers and Pillow only.

>>> import headway.runtime
>>> model = headway.runtime.load("runs/reviews/latest/package")  # doctest: +SKIP
>>> model.predict([{"review": "今天天气很好，我们去公园玩吧。"}])  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from headway.runtime.model import Answers, Model, Prediction, load

if TYPE_CHECKING:
    from headway.runtime.generation import Generator, Message, Wish, Written, load_generator
    from headway.runtime.image_generation import ImageGenerator, load_image_generator

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

# What packages that write or draw need, imported when it is first used: a service that predicts starts without it.
_DOORS = dict.fromkeys(("Generator", "Message", "Wish", "Written", "load_generator"), "headway.runtime.generation")
_DOORS |= dict.fromkeys(("ImageGenerator", "load_image_generator"), "headway.runtime.image_generation")


def __getattr__(name: str) -> Any:
    """Import a door when it is first used."""
    if name in _DOORS:
        return getattr(importlib.import_module(_DOORS[name]), name)
    raise AttributeError(f"module 'headway.runtime' has no attribute {name!r}")
