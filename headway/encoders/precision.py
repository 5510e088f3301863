"""The fastest precision on this machine that keeps a base's vectors."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np

from headway.bases.base import Base
from headway.compute.drafts import whole_file
from headway.encoders.exporting import Precision, feature_key
from headway.encoders.features import open_reader

# Eight bits have to save this share of the time to be worth their noise.
SAVING = 0.15
# The largest share of the vectors' variance that may be noise. Measured with all-MiniLM-L6-v2 on banking77 and its 77
# labels: 0.004 of noise changes 0.4% of the decisions.
NOISE = 0.006
_PROBED, _PASSES = 48, 3


def choose_precision(base: Base, texts: Sequence[str], *, store: Path | None = None) -> Precision:
    """Return "int8" where it is faster here and its vectors are nearly those of float32, else "float32".

    `texts`: some of them are encoded both ways, in turn. What was chosen once for a base is kept in `store`, so that
    all folds and runs see the same vectors; without a store, in this process.
    """
    place = None if store is None else store / "features" / f"{feature_key(base, 'int8')}.json"
    if place is None:
        return _chosen(base, _sample(texts))
    try:
        return cast("Precision", json.loads(place.read_text(encoding="utf-8"))["precision"])
    except (OSError, ValueError, KeyError):
        pass
    found = _measure(base, _sample(texts))
    place.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(place) as draft:
        draft.write_text(json.dumps(found), encoding="utf-8")
    return cast("Precision", found["precision"])


def _sample(texts: Sequence[str]) -> tuple[str, ...]:
    places = np.linspace(0, len(texts) - 1, min(_PROBED, len(texts))).astype(int)
    return tuple(dict.fromkeys(texts[place] for place in places)) or ("",)


@lru_cache(maxsize=8)
def _kept(digest: str) -> dict[str, Precision]:  # noqa: ARG001 - the cache goes by it
    """Return where the choice for a base is kept in this process."""
    return {}


def _chosen(base: Base, texts: tuple[str, ...]) -> Precision:
    kept = _kept(feature_key(base, "int8"))
    if "precision" not in kept:
        kept["precision"] = cast("Precision", _measure(base, texts)["precision"])
    return kept["precision"]


def _measure(base: Base, texts: tuple[str, ...]) -> dict[str, object]:
    """Return the choice and its figures: the ratio of times, and the share of noise."""
    readers = {precision: open_reader(base, precision) for precision in ("float32", "int8")}
    vectors = {precision: reader.encode(texts) for precision, reader in readers.items()}
    seconds: dict[str, list[float]] = {precision: [] for precision in readers}
    for _ in range(_PASSES):
        for precision, reader in readers.items():
            started = time.perf_counter()
            reader.encode(texts)
            seconds[precision].append(time.perf_counter() - started)
    whole, eight = vectors["float32"], vectors["int8"]
    spread = float(((whole - whole.mean(0)) ** 2).sum()) if len(whole) > 1 else float((whole**2).sum())
    noise = float(((eight - whole) ** 2).sum()) / max(spread, 1e-12)
    ratio = min(seconds["int8"]) / max(min(seconds["float32"]), 1e-9)
    chosen: Precision = "int8" if noise <= NOISE and ratio <= 1 - SAVING else "float32"
    return {"precision": chosen, "time_ratio": round(ratio, 4), "noise": round(noise, 6)}
