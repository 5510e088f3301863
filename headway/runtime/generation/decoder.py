"""One ONNX decoder, and the keys and values of the texts that it is writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from headway.errors import PackageError
from headway.runtime.session import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Tokens of a prompt that are read in one go: few enough that other texts need not wait long.
CHUNK = 256
_CACHES = ("key", "value")


class Decoder:
    """A session and its cache; `slots` texts of at most `window` tokens each. Not to be shared between threads.

    The cache is written in place: what onnxruntime calls past and present is the same memory. Its pages are taken from
    the system when they are first written, so long windows cost nothing until they are used.
    """

    def __init__(self, onnx: bytes, *, window: int, slots: int, threads: int) -> None:
        """Open the graph; raises `PackageError` where it is no decoder."""
        self.session = open_session(onnx, threads=threads, spins=True)
        self.window, self.slots = window, slots
        shapes = _cache_shapes(self.session)
        self.vocabulary = _vocabulary(self.session)
        self._cache = {name: np.zeros((slots, heads, window, width), np.float32)
                       for name, (heads, width) in shapes.items()}  # fmt: skip
        self._rows: dict[tuple[int, int], dict[str, Any]] = {}
        self._steps: dict[int, _Step] = {}

    @property
    def token_bytes(self) -> int:
        """Return how much memory the keys and values of one token take."""
        return sum(cache.shape[1] * cache.shape[3] * 4 for cache in self._cache.values())

    def read(self, slot: int, ids: np.ndarray, *, before: int, every: bool = False) -> np.ndarray:
        """Read tokens int64 `[length]` into a slot that holds `before` earlier ones; return float32 logits.

        Those of the last token, `[1, vocabulary]`, or with `every` those of each, `[length, vocabulary]`.
        """
        total = before + len(ids)
        given: dict[str, np.ndarray] = {
            "ids": ids.astype(np.int64).reshape(1, -1),
            "last": np.array([total - 1], np.int32),
            "total": np.array(total, np.int32),
            "wanted": np.arange(len(ids)) if every else np.array([len(ids) - 1]),
        }
        logits = np.empty((len(given["wanted"]), self.vocabulary), np.float32)
        self._run(self._bind(slot, slot + 1, given, logits))
        return logits

    def step(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Read one token for each of the first rows; return float32 logits `[rows, vocabulary]`, valid until the next.

        `ids`: int64 `[rows]`; `lengths`: `[rows]`, the tokens that each row has already.
        """
        rows = len(ids)
        if rows not in self._steps:
            self._steps[rows] = _Step(self, rows)
        step = self._steps[rows]
        step.ids[:, 0] = ids
        step.last[:] = lengths
        step.total[...] = lengths.max() + 1
        self._run(step.binding)
        return step.logits

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` tokens of a slot to another."""
        for cache in self._cache.values():
            cache[target, :, :length] = cache[source, :, :length]

    def _bind(self, start: int, stop: int, given: dict[str, np.ndarray], logits: np.ndarray) -> Any:
        """Bind the slots `start` to `stop` as past and as present, and the other inputs; these must stay alive."""
        from onnxruntime import OrtValue

        if (start, stop) not in self._rows:
            self._rows[start, stop] = {
                name: OrtValue.ortvalue_from_numpy(cache[start:stop]) for name, cache in self._cache.items()
            }
        binding = self.session.io_binding()
        for name, value in self._rows[start, stop].items():
            binding.bind_ortvalue_input(f"past.{name}", value)
            binding.bind_ortvalue_output(f"present.{name}", value)
        for name, array in given.items():
            binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(array))
        binding.bind_output("logits", "cpu", 0, np.float32, logits.shape, logits.ctypes.data)
        return binding

    def _run(self, binding: Any) -> None:
        try:
            self.session.run_with_iobinding(binding)
        except Exception as error:  # onnxruntime raises its own classes and plain RuntimeError
            raise PackageError("the decoder failed", got=" ".join(str(error).split())[:300]) from error


class _Step:
    """The inputs and outputs of one token for each of so many rows, bound once and filled anew each time."""

    def __init__(self, decoder: Decoder, rows: int) -> None:
        self.ids, self.last = np.zeros((rows, 1), np.int64), np.zeros(rows, np.int32)
        self.total, self.logits = np.zeros((), np.int32), np.empty((rows, decoder.vocabulary), np.float32)
        given: dict[str, np.ndarray] = {
            "ids": self.ids,
            "last": self.last,
            "total": self.total,
            "wanted": np.arange(rows),
        }
        self._held = given
        self.binding = decoder._bind(0, rows, given, self.logits)  # noqa: SLF001 - the other half of the decoder


_INPUTS = ("ids", "last", "total", "wanted")


def _cache_shapes(session: InferenceSession) -> dict[str, tuple[int, int]]:
    """Return heads and width of each part of the cache; raises `PackageError` for a graph that is no decoder."""
    given = {node.name: node.shape for node in session.get_inputs()}
    layers = sum(name.endswith(".key") for name in given)
    names = [f"{number}.{part}" for number in range(layers) for part in _CACHES]
    if set(given) != {*_INPUTS, *(f"past.{name}" for name in names)} or not names:
        raise PackageError(
            "the graph is no decoder", expected=f"{', '.join(_INPUTS)}, past.0.key, ...", got=", ".join(given)[:200]
        )
    shapes = {name: given[f"past.{name}"] for name in names}
    if any(len(shape) != 4 or not isinstance(shape[1], int) or not isinstance(shape[3], int)
           for shape in shapes.values()):  # fmt: skip
        raise PackageError("the cache of the decoder has no sizes", got=str(next(iter(shapes.values()))))
    return {name: (shape[1], shape[3]) for name, shape in shapes.items()}


def _vocabulary(session: InferenceSession) -> int:
    """Return the number of tokens that the graph tells apart."""
    shape = next((node.shape for node in session.get_outputs() if node.name == "logits"), None)
    if shape is None or len(shape) != 2 or not isinstance(shape[1], int):
        raise PackageError("the graph is no decoder", expected="the output logits [wanted, vocabulary]", got=str(shape))
    return shape[1]
