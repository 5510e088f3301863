"""The packages that are served, by name; exchanged in one step."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from headway.runtime import Model, load
from headway.runtime.manifest import Manifest
from headway.runtime.manifest_json import to_json
from headway.serving.batching import Batcher
from headway.serving.computing import make_compute
from headway.serving.limits import Limits
from headway.serving.pace import Pace, measure_pace
from headway.serving.refusals import FieldProblem, RefusalError
from headway.serving.rows import Reader


@dataclass(frozen=True)
class Deployment:
    """One open package behind one name: ready to answer. `path` is where it lies, where it lies anywhere."""

    name: str
    version: str
    model: Model
    reader: Reader
    pace: Pace
    batcher: Batcher
    path: Path | None = None


OnBatch = Callable[[int, float], None]


def open_deployment(
    path: Path,
    *,
    name: str | None,
    limits: Limits,
    threads: int,
    on_batch: OnBatch = lambda _rows, _seconds: None,
    quick: bool = False,
) -> Deployment:
    """Open a package, warm it up and measure its pace, a `quick` one coarsely; `name` None takes the package's own.

    Takes from a few milliseconds to about a second; call it outside the event loop. Raises `PackageError`.
    """
    model = load(path, threads=threads)
    return deploy_model(model, name=name, limits=limits, on_batch=on_batch, quick=quick, path=path)


def deploy_model(
    model: Model,
    *,
    name: str | None,
    limits: Limits,
    on_batch: OnBatch = lambda _rows, _seconds: None,
    quick: bool = False,
    path: Path | None = None,
) -> Deployment:
    """Return the deployment of a model that is open already, from the package at `path`."""
    pace = measure_pace(model, quick=quick)
    batcher = Batcher(make_compute(model, pace), pace=pace, limits=limits, on_batch=on_batch)
    named = name or model.manifest.name
    return Deployment(named, version_of(model.manifest), model, Reader.of(model), pace, batcher, path)


def unheard(deployment: Deployment, limits: Limits) -> Deployment:
    """Return the same model behind a queue of its own that nothing counts, for requests that no client sends."""
    compute = make_compute(deployment.model, deployment.pace)
    return replace(deployment, batcher=Batcher(compute, pace=deployment.pace, limits=limits))


def version_of(manifest: Manifest) -> str:
    """Return a short name for exactly this package: a digest of its manifest, which holds those of its files."""
    return hashlib.sha256(to_json(manifest).encode()).hexdigest()[:12]


def answered_by(manifest: Manifest) -> tuple[str, ...]:
    """Return all labels that are answered, those of several targets with the target's name, and targets of values."""
    if not manifest.targets:
        return tuple(map(str, manifest.labels))
    return tuple(f"{each.name}: {label}" for each in manifest.targets for label in each.labels or ("a value",))


class Registry:
    """The deployments by key; the first one answers requests that name none."""

    def __init__(self) -> None:
        """Serve nothing yet."""
        self._by_key: dict[str, Deployment] = {}

    def __iter__(self) -> Iterator[tuple[str, Deployment]]:
        """Yield the keys and deployments."""
        return iter(list(self._by_key.items()))

    def __len__(self) -> int:
        """Return how many are served."""
        return len(self._by_key)

    def put(self, deployment: Deployment, *, key: str | None = None) -> Deployment | None:
        """Serve a deployment under its name or `key` from now on; return the one it replaces.

        Requests that the old one has accepted are still answered by it.
        """
        place = key or deployment.name
        old = self._by_key.get(place)
        self._by_key[place] = deployment
        return old

    def find(self, name: str | None) -> str:
        """Return the key for a name that a client gave; raises `RefusalError` (404) with the names there are."""
        if name is None and self._by_key:
            return next(iter(self._by_key))
        if name in self._by_key:
            return str(name)
        near = difflib.get_close_matches(str(name), self._by_key, n=1)
        problem = FieldProblem(None, "model", " or ".join(map(repr, self._by_key)) or "no model yet", repr(name)[:80],
                               f"did you mean {near[0]!r}?" if near else "GET /v1/models")  # fmt: skip
        raise RefusalError(404, "unknown_model", str(problem), [problem])

    def keys(self) -> Collection[str]:
        """Return the keys of all deployments."""
        return self._by_key.keys()

    def under(self, key: str) -> Deployment | None:
        """Return the deployment under a key, None where there is none."""
        return self._by_key.get(key)

    def get(self, key: str) -> Deployment:
        """Return the deployment under a key."""
        return self._by_key[key]
