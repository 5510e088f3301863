"""Rows of any number through one graph: encode, run, put back in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.errors import InputError, PackageError
from headway.runtime.feeds import BadCellError, Cells, encode, tokens
from headway.runtime.feeds.batches import batches_of
from headway.runtime.feeds.cells import array, column, listed, strings
from headway.runtime.feeds.lacking import missing_column
from headway.runtime.feeds.tokens import TokenRows
from headway.runtime.manifest import Feed, RowFeed, TokenFeed
from headway.runtime.session import check_signature, cores, open_session, run

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# How much one run of the graph takes: few enough rows for the caches, enough to drown the cost of a call.
_ROWS = 4096
_TEXT_ROWS = 512
_TEXT_CELLS = 8_192
_IMAGE_PIXELS = 4_000_000
# Parts of tokens from which on a second session is worth its opening (about as long as one part takes).
_MANY_PARTS = 16


@dataclass(frozen=True)
class Predictor:
    """A graph, its feeds, and the session that runs it; safe to share between threads.

    `outputs`: "probabilities" or "values", or one of these for each target, such as "values:price". `threads` is how
    many parts of a large batch are worked on at once. Where tokens are read, many parts are faster on a core each than
    on several cores for each node: `reopen` then gives the graph again, for a second session.
    """

    feeds: tuple[Feed, ...]
    files: Mapping[str, bytes]
    session: InferenceSession
    outputs: tuple[str, ...]
    threads: int
    reopen: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns that the feeds read, each once, in order."""
        return tuple(dict.fromkeys(name for feed in self.feeds for name in feed.columns))

    def run(self, columns: Mapping[str, Cells], *, strict: bool = True) -> np.ndarray:
        """Return float32 `[rows, labels]` probabilities or `[rows, 1]` values for columns of equal length.

        Those of several targets stand side by side, in the order of `outputs`.

        Columns that no feed reads are ignored. Texts are sorted by length, in tokens where tokens are read, and cut
        into parts, so that little padding is computed, and put back in order. Raises `InputError` (a missing column,
        columns of different length, a cell that cannot be read and `strict`) and `PackageError` (the graph fails).
        """
        ready = {name: _ready(columns, name, text=name in self._texts) for name in self.columns}
        rows = _height(ready)
        if rows == 0:
            return np.empty((0, self.width), dtype=np.float32)
        read = self._tokens(ready, strict=strict)
        if rows <= 1 or (rows <= _TEXT_ROWS // 8 and not read and not self._has_images):
            return self._part(ready, read, strict=strict)
        parts = list(self._parts(ready, read, rows))
        if len(parts) == 1:
            return self._part(ready, read, strict=strict)
        return self._all(ready, read, parts, rows, strict=strict)

    @property
    def width(self) -> int:
        """Return the number of figures that a row is answered with."""
        return sum(self.widths)

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the number of figures of each output, 1 where the graph does not say."""
        shapes = [node.shape for node in self.session.get_outputs()]
        return tuple(shape[1] if len(shape) == 2 and isinstance(shape[1], int) else 1 for shape in shapes)

    @cached_property
    def _narrow(self) -> InferenceSession:
        """Return a session that runs each part on one core; opened when there are many parts."""
        if self.reopen is None:
            return self.session
        try:
            return open_session(self.reopen(), threads=1)
        except PackageError:  # it was taken away meanwhile: the session at hand answers as well
            return self.session

    @property
    def _texts(self) -> frozenset[str]:
        """Return the columns that are read as text."""
        return frozenset(feed.columns[0] for feed in self.feeds if feed.kind in {"characters", "tokens"})

    @property
    def _has_images(self) -> bool:
        """Tell whether some feed reads images."""
        return any(feed.kind == "image" for feed in self.feeds)

    def _tokens(self, ready: Mapping[str, Any], *, strict: bool) -> dict[str, TokenRows]:
        """Return the rows of each token feed by its name; they are read before the cut, which goes by their length."""
        return {
            feed.name: tokens.read(feed, ready, files=self.files, strict=strict)
            for feed in self.feeds
            if isinstance(feed, TokenFeed | RowFeed)
        }

    def _parts(self, ready: Mapping[str, Any], read: Mapping[str, TokenRows], rows: int) -> Iterator[np.ndarray]:
        """Yield the positions of each part."""
        if read and not self._has_images:
            yield from batches_of(np.sum([each.lengths for each in read.values()], axis=0))
            return
        most = min(
            [_ROWS, *(_IMAGE_PIXELS // (feed.width * feed.height) for feed in self.feeds if feed.kind == "image")]
        )
        texts = self._texts
        if not texts:
            yield from np.array_split(np.arange(rows), -(-rows // max(1, most)))
            return
        lengths = sum(np.fromiter(map(len, ready[name]), dtype=np.int64, count=rows) for name in texts)
        yield from _buckets(np.asarray(lengths), min(most, _TEXT_ROWS))

    def _all(
        self,
        ready: Mapping[str, Any],
        read: Mapping[str, TokenRows],
        parts: Sequence[np.ndarray],
        rows: int,
        *,
        strict: bool,
    ) -> np.ndarray:
        """Run the parts, several at once: Python encodes one while onnxruntime computes another."""
        session = self._narrow if len(parts) >= _MANY_PARTS else self.session

        def answer(part: np.ndarray) -> np.ndarray:
            try:
                taken = {name: _take(cells, part) for name, cells in ready.items()}
                return self._part(taken, read, part, strict=strict, session=session)
            except BadCellError as error:
                raise error.at(int(part[error.row])) from error.__cause__

        if self.threads == 1:
            answers = [answer(part) for part in parts]
        else:
            with ThreadPoolExecutor(max_workers=self.threads) as pool:
                answers = list(pool.map(answer, parts))
        out = np.empty((rows, answers[0].shape[1]), dtype=np.float32)
        for part, values in zip(parts, answers, strict=True):
            out[part] = values
        return out

    def _part(
        self,
        ready: Mapping[str, Any],
        read: Mapping[str, TokenRows],
        positions: np.ndarray | None = None,
        *,
        strict: bool,
        session: InferenceSession | None = None,
    ) -> np.ndarray:
        """Encode and run some rows in one go; `ready` holds these alone, `read` all, of which `positions` are taken."""
        arrays: dict[str, np.ndarray] = {}
        for feed in self.feeds:
            if isinstance(feed, TokenFeed | RowFeed):
                arrays.update(read[feed.name].arrays(feed, positions))
            else:
                arrays.update(encode(feed, ready, files=self.files, strict=strict))
        rows = _height(ready)
        answers = run(session or self.session, self.outputs, arrays)
        if answers.ndim != 2 or answers.shape[0] != rows:
            raise PackageError("the graph answers in the wrong shape", expected=f"{rows} rows", got=str(answers.shape))
        return answers


def open_predictor(
    onnx: bytes,
    feeds: Sequence[Feed],
    files: Mapping[str, bytes],
    *,
    threads: int | None = None,
    reopen: Callable[[], bytes] | None = None,
) -> Predictor:
    """Open a graph with its feeds; `threads` None uses all cores. Raises `PackageError` where they do not fit.

    `reopen` gives `onnx` again, so that it need not be kept; without it `onnx` is kept where it may be wanted again.
    """
    workers = threads or cores()
    session = open_session(onnx, threads=workers)
    reads_tokens = any(isinstance(feed, TokenFeed | RowFeed) for feed in feeds)
    again = (reopen or (lambda: onnx)) if reads_tokens and workers > 1 else None
    return Predictor(tuple(feeds), files, session, check_signature(session, feeds), workers, again)


def _ready(columns: Mapping[str, Cells], name: str, *, text: bool) -> Any:
    """Return the cells of a column as something that can be measured and cut: strings, a typed array, or a list."""
    if name not in columns:
        raise missing_column(name, columns)
    cells = column(columns, name)
    if text:
        return strings(cells, name)
    if isinstance(cells, np.ndarray):
        return cells
    typed = array(cells)
    return listed(cells) if typed is None else typed


def _height(ready: Mapping[str, Any]) -> int:
    """Return the number of rows; raises `InputError` where the columns differ."""
    heights = {name: len(cells) for name, cells in ready.items()}
    if len(set(heights.values())) != 1:
        got = ", ".join(f"{name!r}: {height}" for name, height in heights.items())
        raise InputError("the columns have different lengths", expected="one cell per row in each", got=got)
    return next(iter(heights.values()))


def _take(cells: Any, positions: np.ndarray) -> Any:
    """Return the cells at `positions`."""
    if isinstance(cells, np.ndarray):
        return cells[positions]
    return [cells[position] for position in positions.tolist()]


def _buckets(lengths: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Yield positions sorted by length, longest first, cut so that a padded part holds about `_TEXT_CELLS` items."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        size = min(most, max(1, _TEXT_CELLS // longest))
        yield order[start : start + size]
        start += size
