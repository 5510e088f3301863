"""From the cells of some columns to one input of the ONNX graph; the same code in training and in production."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headway.runtime.feeds import categories, characters, dates, images, numbers, tokens
from headway.runtime.feeds.cells import BadCellError, Cells
from headway.runtime.manifest import CategoryFeed, CharacterFeed, DateFeed, Feed, ImageFeed, NumberFeed

__all__ = ["BadCellError", "Cells", "encode"]


def encode(
    feed: Feed, columns: Mapping[str, Cells], *, files: Mapping[str, bytes], strict: bool = True
) -> dict[str, np.ndarray]:
    """Turn the cells that `feed` names into graph inputs, by name; shapes and types are in the feed's docstring.

    `columns` holds lists, numpy arrays, or anything with `to_list`/`to_numpy` (a polars Series), all of one length;
    columns the feed does not name are not looked at. `files` holds what feeds name (tokenizers). None and NaN are
    missing cells. A cell that cannot be understood raises `InputError` with its row and column, or, where `strict`
    is off, counts as missing. A column that is not there raises `InputError` with the nearest name.
    """
    if isinstance(feed, NumberFeed):
        return numbers.encode(feed, columns, strict=strict)
    if isinstance(feed, CategoryFeed):
        return categories.encode(feed, columns)
    if isinstance(feed, DateFeed):
        return dates.encode(feed, columns, strict=strict)
    if isinstance(feed, CharacterFeed):
        return characters.encode(feed, columns)
    if isinstance(feed, ImageFeed):
        return images.encode(feed, columns, strict=strict)
    return tokens.encode(feed, columns, files=files, strict=strict)
