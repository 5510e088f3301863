"""Data sets of the Hugging Face hub."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import polars as pl

from headway.data.sources.columnar import plain_columns
from headway.data.sources.part import Part, whole_part
from headway.errors import DataError, MissingExtraError


def read_hub(url: str) -> Part:
    """Read `hf://owner/name?split=train&config=...` by the `datasets` library.

    Raises MissingExtraError without it, and DataError when there is no network or no such data set or split.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("hub", purpose="reading from the Hugging Face hub") from error
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    split = options.get("split", ["train"])[0]
    name = f"{parts.netloc}{parts.path}".strip("/")
    try:
        loaded = datasets.load_dataset(name, options.get("config", [None])[0], split=split)
        frame = pl.DataFrame(loaded.with_format("arrow")[:])
    except Exception as error:
        raise DataError(
            "the hub's data set cannot be loaded",
            where=url,
            got=f"{type(error).__name__}: {error}".split("\n")[0],
            fix="check the network, the id and the split, or download it and name the file",
        ) from error
    return whole_part(url, plain_columns(frame))
