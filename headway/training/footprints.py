"""How much memory the candidates need to serve, found out beside the tournament."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from types import TracebackType
from typing import Self

from headway.compute.memory import is_tight
from headway.errors import PackageError
from headway.package.measuring import measure_memory
from headway.training.contest import Contest
from headway.training.outcome import Outcome
from headway.training.trial import measured_columns


class Footprints:
    """Fresh processes that open one graph after the other, while the next candidate trains if memory allows both."""

    def __init__(self, contest: Contest) -> None:
        """Measure on the validation rows of a contest."""
        self._generates = contest.task.kind == "generate"
        self._columns = measured_columns(contest)
        self._outputs = contest.task.outputs
        self._budget_mb = contest.memory_mb
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footprints")
        self._found: dict[str, Future[float]] = {}

    def __enter__(self) -> Self:
        """Take requests until the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Forget what has not begun."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def request(self, outcome: Outcome) -> None:
        """Measure an outcome's graph beside the work that follows, unless that is done."""
        if self._generates or outcome.graph is None or outcome.memory_mb is not None:
            return
        future = self._worker.submit(measure_memory, outcome.graph, self._outputs, self._columns)
        self._found[outcome.name] = future
        if is_tight(self._budget_mb):
            wait([future])

    def complete(self, outcome: Outcome) -> Outcome:
        """Return an outcome with its memory, waiting for it; without it where the measuring failed."""
        future = self._found.get(outcome.name)
        if future is None:
            return outcome
        try:
            return replace(outcome, memory_mb=future.result())
        except PackageError:
            return outcome
