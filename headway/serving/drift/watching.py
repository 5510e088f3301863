"""Watch served rows for drift: count them into windows, and compare each full window with the package's reference."""

from __future__ import annotations

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from headway.errors import PackageError
from headway.evaluation.drift import (
    Drift,
    Reference,
    compare_counts,
    count_answers,
    count_inputs,
    count_mistakes,
    reference_from_json,
)
from headway.evaluation.drift.counting import Counts
from headway.runtime.archive import REFERENCE, read_package
from headway.runtime.manifest import Manifest
from headway.serving.drift.wording import tell_drift, tell_past
from headway.serving.learning.noted import Noted
from headway.serving.observing import Feedback, Opened, Served
from headway.serving.store.alarms import Alarm
from headway.serving.store.reading import Said, spelt

# A quiet service may look at more rows for a moment.
_SAVED_SECONDS = 5.0
_log = logging.getLogger("headway.serving")


@dataclass(frozen=True)
class Watching:
    """How closely drift is watched.

    `window`: rows in a window of inputs and answers; `told`: answers with feedback in a window of accuracy;
    `false_alarms`: the share of windows that alarm though nothing has changed; `most_rows_per_second` is looked at (a
    busy service needs no more to fill its windows); `remembered`: answers that wait for their feedback. What alarmed
    alarms again after `silence` seconds only: windows of a busy service are full every few seconds.
    """

    window: int = 500
    told: int = 200
    false_alarms: float = 0.01
    most_rows_per_second: float = 200.0
    remembered: int = 50_000
    silence: float = 3600.0


class Window(NamedTuple):
    """What is compared at a time: "rows" of inputs and answers, or "feedback" on the answers for a target."""

    kind: Literal["rows", "feedback"]
    target: str = ""


class Progress(NamedTuple):
    """How many rows, or answers with feedback, a window still lacks of those it `needs`."""

    lacks: int
    needs: int


@dataclass
class _Model:
    """What is known of one model's present windows, and the last full ones."""

    version: str
    reference: Reference | None
    counts: Counts = field(default_factory=dict)
    rows: int = 0
    # By target; feedback may tell the truth of some only.
    mistakes: dict[str, Counts] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    allowance: float = 0.0
    looked: float = -_SAVED_SECONDS
    windows: int = 0
    last: dict[Window, Drift] = field(default_factory=dict)
    # When each view last alarmed aloud.
    alarmed: dict[tuple[str, str], float] = field(default_factory=dict)


class Watch:
    """The consumer that looks for drift; make a `Lane` of it."""

    def __init__(
        self,
        raise_alarm: Callable[[Alarm], None],
        watching: Watching = Watching(),
        *,
        read: Callable[[Path], Reference | None] | None = None,
        recall: Callable[[str, int], Said | None] = lambda _request_id, _row: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch the packages that `opened` tells of, each by the reference that `read` finds in it.

        `recall` knows answers that this process does not remember, by the request's id and the row.
        """
        self._raise, self._watching, self._read, self._recall = raise_alarm, watching, read or read_reference, recall
        self._clock = clock
        self._packages: dict[str, Opened] = {}
        self._models: dict[str, _Model] = {}
        self._answers: OrderedDict[tuple[str, int], Said] = OrderedDict()

    def opened(self, event: Opened) -> None:
        """Watch a package from now on; what the one of the same name before it still answers counts no more."""
        self._packages[event.name] = event

    def __call__(self, batch: Sequence[Noted]) -> None:
        """Count a batch of events; compare what has become a full window."""
        for noted in batch:
            if isinstance(noted.event, Served) and not noted.event.shadow:
                self._see(noted.event)
            elif isinstance(noted.event, Feedback):
                self._hear(noted.event)

    def drifts(self) -> dict[str, dict[Window, Drift]]:
        """Return the last full windows by model."""
        return {name: dict(model.last) for name, model in list(self._models.items())}

    def progress(self) -> dict[str, dict[Window, Progress]]:
        """Return by model what its windows still lack; no window for one whose package has no reference.

        A reference is read with the first row: until then only the window of rows is known.
        """
        return {name: self._progress_of(name, package.version) for name, package in list(self._packages.items())}

    def _progress_of(self, name: str, version: str) -> dict[Window, Progress]:
        model = self._models.get(name)
        needs, told = self._watching.window, self._watching.told
        if model is None or model.version != version:
            return {Window("rows"): Progress(needs, needs)}
        if model.reference is None:
            return {}
        heard = [target for target in model.reference.targets if model.reference.of(target, "mistakes")]
        feedback = {Window("feedback", each): Progress(told - model.told.get(each, 0), told) for each in heard}
        return {Window("rows"): Progress(needs - model.rows, needs), **feedback}

    def _see(self, event: Served) -> None:
        model = self._model(event.name, event.version)
        if model is None or model.reference is None:
            return
        reference = model.reference
        pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
        for number, row, answer in _answered(event):
            pairs.append((row, answer))
            self._remember((event.request_id, number), Said(event.name, event.version, answer["prediction"]))
        rows = min(len(pairs), _allowed(model, self._watching), self._watching.window - model.rows)
        if rows < 1:
            return
        model.allowance -= rows
        some = pairs[:: max(1, len(pairs) // rows)][:rows]
        columns = {name: [row.get(name) for row, _ in some] for name in reference.kinds}
        _add(model.counts, count_inputs(reference, columns))
        for target in reference.targets:
            _add(model.counts, _count_said(reference, [_of_target(answer, target) for _, answer in some], target))
        model.rows += len(some)
        if model.rows >= self._watching.window:
            self._close(event.name, model, Window("rows"), model.counts)
            model.counts, model.rows = {}, 0

    def _hear(self, event: Feedback) -> None:
        if event.truth is None:
            return
        said = self._answers.get((event.request_id, event.row)) or self._recall(event.request_id, event.row)
        model = self._model(said.model, said.version) if said else None
        if said is None or model is None or model.reference is None:
            return
        is_several = model.reference.task == "several"
        predictions, truths = (each if is_several else {"": each} for each in (said.prediction, event.truth))
        for target in model.reference.targets:
            if (
                isinstance(truths, Mapping)
                and isinstance(predictions, Mapping)
                and target in {*truths} & {*predictions}
            ):
                self._hear_of(said.model, model, target, predictions[target], truths[target])

    def _hear_of(self, name: str, model: _Model, target: str, prediction: Any, truth: Any) -> None:
        """Count what was right for one target."""
        assert model.reference is not None
        pair: tuple[list[Any], list[Any]] = ([spelt(prediction)], [spelt(truth)])
        if any(not view.names for view in model.reference.of(target, "mistakes")):
            if isinstance(truth, bool) or not isinstance(truth, int | float):
                return
            pair = [prediction], [truth]
        counts = model.mistakes.setdefault(target, {})
        _add(counts, count_mistakes(model.reference, *pair, target=target))
        model.told[target] = model.told.get(target, 0) + 1
        if model.told[target] >= self._watching.told:
            self._close(name, model, Window("feedback", target), counts)
            del model.mistakes[target], model.told[target]

    def _close(self, name: str, model: _Model, window: Window, counts: Counts) -> None:
        """Compare a full window, and raise the alarm where it has drifted."""
        assert model.reference is not None
        model.windows += 1
        drift = compare_counts(model.reference, counts, false_alarms=self._watching.false_alarms, seed=model.windows)
        model.last[window] = drift
        if self._is_news(model, drift):
            details: dict[str, Any] = {"window": window.kind, "target": window.target, "rows": drift.rows,
                       "shifts": [vars(shift) for shift in drift.alarms]}  # fmt: skip
            until = self._packages[name].remembers_until
            said = tell_drift(drift, "en")
            if until is not None and any(not shift.column for shift in drift.alarms):
                details["remembers_until"] = until
                said += f"; {tell_past(until, 'en')}"
            self._raise(Alarm("drift", name, said, details))

    def _is_news(self, model: _Model, drift: Drift) -> bool:
        """Tell whether a view alarms that has been silent for long, and note that those of the window have alarmed."""
        now = self._clock()
        keys = [(shift.column or shift.target, shift.aspect) for shift in drift.alarms]
        if all(now - model.alarmed.get(key, -math.inf) < self._watching.silence for key in keys):
            return False
        model.alarmed.update(dict.fromkeys(keys, now))
        return True

    def _model(self, name: str, version: str) -> _Model | None:
        """Return what is known of a package; None for one that does not answer any more."""
        package = self._packages.get(name)
        if package is None or package.version != version:
            return None
        known = self._models.get(name)
        if known is None or known.version != version:
            reference = None if package.path is None else self._read(Path(package.path))
            known = self._models[name] = _Model(version, reference)
            if reference is None:
                _log.warning("%s is not watched for drift: its package has no reference", name)
        return known

    def _remember(self, key: tuple[str, int], said: Said) -> None:
        self._answers[key] = said
        while len(self._answers) > self._watching.remembered:
            self._answers.popitem(last=False)


def read_reference(path: Path) -> Reference | None:
    """Return the reference of a package, None where it has none (made by an older Headway) or it cannot be read.

    Of inputs that the model does not read nothing is kept: clients need not send them, and they change no answer.
    """
    try:
        manifest, files = read_package(path)
        content = files.get(REFERENCE)
        return None if content is None else reference_from_json(content).only(_read_by(manifest))
    except PackageError as error:
        _log.warning("no reference to watch for drift: %s", error)
        return None


def _read_by(manifest: Manifest) -> frozenset[str]:
    """Return the columns that a package reads, its own view of the past included."""
    past = manifest.history
    told = () if past is None else (past.time, *past.keys, *past.values)
    return frozenset((*told, *(name for feed in manifest.feeds for name in feed.columns)))


def _answered(event: Served) -> Iterator[tuple[int, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield number in the request, row and answer of each row that was answered."""
    places = event.places or range(len(event.rows))
    for number, row, answer in zip(places, event.rows, event.answers, strict=False):
        if "prediction" in answer:
            yield number, row, answer


def _of_target(answer: Mapping[str, Any], target: str) -> Mapping[str, Any]:
    """Return the answer for one of several targets, or for the only one."""
    return answer["targets"].get(target, {}) if target else answer


def _count_said(reference: Reference, answers: Sequence[Mapping[str, Any]], target: str) -> Counts:
    """Return the counts of some rows' answers for a target."""
    confidence = [float(answer["confidence"]) for answer in answers if answer.get("confidence") is not None]
    known = confidence if len(confidence) == len(answers) else None
    return count_answers(reference, [answer.get("prediction") for answer in answers], known, target=target)


def _allowed(model: _Model, watching: Watching) -> int:
    """Return how many rows may be looked at now, so that watching costs the same however busy the service is."""
    now = time.monotonic()
    saved = model.allowance + (now - model.looked) * watching.most_rows_per_second
    model.allowance = min(saved, _SAVED_SECONDS * watching.most_rows_per_second)
    model.looked = now
    return int(model.allowance)


def _add(total: Counts, more: Mapping[tuple[str, str], np.ndarray]) -> None:
    for key, counts in more.items():
        total[key] = total[key] + counts if key in total else counts
