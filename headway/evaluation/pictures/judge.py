"""A classifier that Headway trained on the same pictures, as the eyes that drawn ones are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from headway.compute.clock import Clock
from headway.modalities.image.decoding import decoded
from headway.modalities.image.framing import Frame
from headway.models.family import Examples
from headway.runtime.session import cores, open_session
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from headway.models.cnn.fitting import FittedCnn

# Pictures without classes are told apart by so many groups of alike ones.
GROUPS = 10
_COMPONENTS, _AT_ONCE = 32, 512


@dataclass(frozen=True)
class Views:
    """What a judge sees in pictures: float32 features `[n, features]` and probabilities of classes `[n, classes]`."""

    features: np.ndarray
    probabilities: np.ndarray

    def take(self, positions: np.ndarray) -> Views:
        """Return the views of some pictures."""
        return Views(self.features[positions], self.probabilities[positions])


@dataclass(frozen=True)
class Judge:
    """A classifier as an ONNX graph: uint8 pixels in, features and probabilities out.

    `by_groups`: the pictures have no classes, and it tells groups of alike pictures apart. `accuracy`: on pictures it
    did not learn from.
    """

    onnx: bytes
    by_groups: bool
    accuracy: float

    def look(self, pixels: np.ndarray) -> Views:
        """Return the views of uint8 pictures `[n, height, width, colours]`."""
        session = self._session
        name = session.get_inputs()[0].name
        parts = [
            session.run(["features", "probabilities"], {name: np.ascontiguousarray(pixels[start : start + _AT_ONCE])})
            for start in range(0, len(pixels), _AT_ONCE)
        ]
        return Views(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))

    @cached_property
    def _session(self) -> InferenceSession:
        return open_session(self.onnx, threads=cores())


def train_judge(train: Examples, valid: Examples, frame: Frame, *, classes: int, seed: int, clock: Clock) -> Judge:
    """Train a small convolutional network on the classes of the pictures and keep what it sees.

    Where there is one class (or none), the pictures are grouped by their pixels first, and the groups are told apart
    (Caron et al. 2018, "Deep clustering", one round). Raises what training raises.
    """
    from headway.models.cnn.fitting import fit

    by_groups = classes < 2
    if by_groups:
        train, valid, classes = _grouped(train, valid, frame, seed=seed)
    task = Classify(tuple(range(classes)))
    settings: Mapping[str, int | str] = frame.settings
    fitted = fit(train, valid, task, Recipe(), settings=settings, seed=seed, clock=clock)
    judge = Judge(_graph(fitted), by_groups, float("nan"))
    found = judge.look(_pixels(valid, frame)).probabilities.argmax(axis=1)
    return replace(judge, accuracy=float((found == valid.y).mean()))


def _grouped(train: Examples, valid: Examples, frame: Frame, *, seed: int) -> tuple[Examples, Examples, int]:
    """Return both parts with the group of each picture in place of its class."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    pixels, others = (_pixels(part, frame).reshape(len(part), -1).astype(np.float32) for part in (train, valid))
    few = PCA(min(_COMPONENTS, *pixels.shape), random_state=seed).fit(pixels)
    groups = max(2, min(GROUPS, len(train) // 10))
    found = KMeans(groups, n_init=4, random_state=seed).fit(few.transform(pixels))
    labels = (found.labels_, found.predict(few.transform(others)))
    one, other = (replace(part, y=each.astype(np.int64)) for part, each in zip((train, valid), labels, strict=True))
    return one, other, groups


def _pixels(part: Examples, frame: Frame) -> np.ndarray:
    (column,) = part.columns("image")
    return decoded.read(frame.feed(column), part.rows[column].to_list())


def _graph(fitted: FittedCnn) -> bytes:
    """Return the classifier's graph with its features as a second output."""
    import spox.opset.ai.onnx.v21 as op

    from headway.modalities.image.pixels import image_argument
    from headway.models.cnn.export import features_of
    from headway.models.cnn.network import ConvNet
    from headway.networks import nodes

    network = fitted.trained.network
    assert isinstance(network, ConvNet)
    pixels = image_argument(fitted.frame)
    features = features_of(pixels, network)
    probabilities = op.softmax(nodes.linear(features, network.head), axis=1)
    return nodes.model_bytes({"pixels": pixels}, {"features": features, "probabilities": probabilities})
