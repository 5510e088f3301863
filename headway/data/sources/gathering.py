"""Parts of a file put together; of a file that would not fit into memory, a random sample."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import polars as pl

from headway.data.sources.part import Part

_SCALE = 2**32


def gather(parts: Iterable[Part], *, limit: int) -> Part:
    """Return all parts as one, with at most `limit` bytes of cells.

    When they are more, every row is kept or left out by a hash of its record number: the sample is uniform, the same
    every time, and halved as often as needed while the file streams by. `Part.left_out` counts what is not kept.
    """
    kept: list[Part] = []
    share, size = 1.0, 0.0
    for part in parts:
        kept.append(part if share == 1.0 else _thin(part, share))
        size += kept[-1].frame.estimated_size()
        while size > limit and share > 2**-20:
            share /= 2
            kept = [_thin(one, share) for one in kept]
            size = sum(one.frame.estimated_size() for one in kept)
    frames = [one.frame for one in kept if one.frame.height] or [kept[0].frame]
    return replace(
        kept[0],
        frame=pl.concat(frames, how="diagonal_relaxed"),
        records=np.concatenate([one.records for one in kept]),
        rejected=tuple(reject for one in kept for reject in one.rejected),
        read=sum(one.read for one in kept),
        left_out=sum(one.left_out for one in kept),
    )


def _thin(part: Part, share: float) -> Part:
    # The finaliser of splitmix64 (Steele et al. 2014): neighbouring numbers get unrelated hashes.
    mixed = part.records.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    keep = (mixed >> np.uint64(32)) < np.uint64(share * _SCALE)
    frame = part.frame.filter(pl.Series(keep))
    gone = part.frame.height - frame.height
    return replace(part, frame=_compact(frame), records=part.records[keep], left_out=part.left_out + gone)


def _compact(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a copy that does not hold on to the text of rows that are gone."""
    stream = io.BytesIO()
    frame.write_ipc(stream)
    stream.seek(0)
    return pl.read_ipc(stream)
